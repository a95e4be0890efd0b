"""What the code imports is what requirements.txt pins."""

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
# The packages whose modules are not called as they are.
DISTRIBUTIONS = {
    "axes": "django-axes",
    "django_htmx": "django-htmx",
    "environ": "django-environ",
}
DJANGO_IMPORTS = {"psycopg"}


def imported() -> set[str]:
    found = set()
    for path in [ROOT / "manage.py", *(ROOT / "chatapp").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                found.add(node.module or "")
    modules = {name.split(".")[0] for name in found}
    return {DISTRIBUTIONS.get(name, name).lower() for name in modules - sys.stdlib_module_names}


def test_requirements_are_what_is_imported() -> None:
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pinned = {line.partition("==")[0].partition("[")[0].lower() for line in lines}

    assert imported() - {"chatapp"} == pinned - DJANGO_IMPORTS
    assert all("==" in line for line in lines)
