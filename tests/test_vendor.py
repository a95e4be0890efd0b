"""The files of others are the ones we looked at."""

import hashlib
from pathlib import Path

VENDOR = Path(__file__).parent.parent / "static" / "vendor"


def test_every_vendored_script_has_the_sum_that_is_noted_beside_it() -> None:
    for script in VENDOR.rglob("*.js"):
        noted = (script.parent / "VERSION").read_text(encoding="utf-8")
        digest = hashlib.sha256(script.read_bytes()).hexdigest()

        assert f"{digest}  {script.name}" in noted
