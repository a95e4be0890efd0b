"""The layers of the house: imports go downwards only."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "chatapp"

# From the ground up; a module may import its own layer's package and what lies below.
LAYERS = [
    {
        "environment",
        "errors",
        "events",
        "failpoints",
        "forms",
        "locales",
        "logs",
        "metrics",
        "secret_key",
        "text",
    },
    {"database", "models", "migrations"},
    {"figures", "upstream"},
    {"limits"},
    {"generation"},
    {"rendering"},
    {"oversight"},
    {"library"},
    {"composing"},
    {"transfer"},
    {"page", "places", "sessions"},
    {"admin", "consumers", "sockets", "formats", "templatetags", "views"},
    {"apps", "asgi", "checks", "demo", "management", "routing", "serving", "settings", "urls"},
]
LEVEL = {room: level for level, rooms in enumerate(LAYERS) for room in rooms}
KNOWS_NOTHING_OF = {
    "rendering": {"models", "upstream", "generation"},
    "upstream": {"models", "rendering"},
    "generation": {"rendering"},
    "limits": {"rendering"},
    "models": {"upstream"},
}
MODULES = sorted(
    path for path in ROOT.rglob("*.py") if path.parent != ROOT or path.stem != "__init__"
)


def room_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def rooms_imported_by(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return {name.split(".")[1] for name in names if name.startswith("chatapp.")}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_imports_only_what_lies_below(path: Path) -> None:
    room = room_of(path)

    above = {other for other in rooms_imported_by(path) if LEVEL[other] > LEVEL[room]}
    foreign = rooms_imported_by(path) & KNOWS_NOTHING_OF.get(room, set())

    assert not above, f"{room} imports {above} from above"
    assert not foreign, f"{room} must know nothing of {foreign}"


def test_every_room_has_its_layer() -> None:
    rooms = {room_of(path) for path in MODULES}

    assert rooms <= set(LEVEL)


def test_the_foundation_uses_the_standard_library_alone() -> None:
    for module in ("events", "errors"):
        tree = ast.parse((ROOT / f"{module}.py").read_text(encoding="utf-8"))
        imported = {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}

        assert imported <= {"dataclasses", "enum", "typing", "chatapp.errors"}
