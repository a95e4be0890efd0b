"""What the oldest Python that README names, Debian's 3.11.2, does not do as it should."""

import re
from pathlib import Path

CHATAPP = Path(__file__).parent.parent / "chatapp"


def test_no_pattern_has_a_possessive_group() -> None:
    """Until 3.11.5 such a group could fail where it fits: python/cpython#106052."""
    possessive = re.compile(r"""\)[*+?]\+(?![^\n]*["'] *\+)""")

    for path in CHATAPP.rglob("*.py"):
        found = possessive.search(path.read_text(encoding="utf-8"))
        assert found is None, f"{path.name}: {found}"
