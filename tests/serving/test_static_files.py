"""Static files are collected when they are stale, and by one process at a time."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from chatapp.serving import static_files
from chatapp.serving.bundles import Bundles, remove


@pytest.fixture
def static_root(settings: Any, tmp_path: Path) -> Path:
    """An empty folder for the collected files, hashed and compressed as in production."""
    source = tmp_path / "source"
    source.mkdir()
    (source / "one.css").write_text("p { color: red }")
    settings.STATICFILES_DIRS = [source]
    settings.STATIC_ROOT = tmp_path / "collected"
    backend = "whitenoise.storage.CompressedManifestStaticFilesStorage"
    settings.STORAGES = settings.STORAGES | {"staticfiles": {"BACKEND": backend}}
    return tmp_path / "collected"


def test_processes_that_start_together_collect_once(
    static_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    collections: list[object] = []

    def collect(*arguments: Any, **options: Any) -> None:
        collections.append(call_command(*arguments, **options))

    monkeypatch.setattr(static_files, "call_command", collect)

    with ThreadPoolExecutor(4) as pool:
        for outcome in [pool.submit(static_files.prepare) for _ in range(4)]:
            outcome.result()

    assert len(collections) == 1
    assert [*static_root.glob("one.*.css")]


def test_a_page_needs_one_style_sheet_and_one_script(settings: Any, tmp_path: Path) -> None:
    (tmp_path / "css").mkdir()
    (tmp_path / "js").mkdir()
    (tmp_path / "css" / "base.css").write_text("a {}\n")
    (tmp_path / "css" / "chat.css").write_text("b {}\n")
    (tmp_path / "js" / "one.js").write_text("const same = 1; // said last\n")
    (tmp_path / "js" / "two.js").write_text("const same = 2;\n")
    settings.STATICFILES_DIRS = [tmp_path]
    bundles = Bundles()

    assert Path(bundles.find("page.css")).read_text() == "a {}\nb {}\n"
    one, two = "const same = 1; // said last\n", "const same = 2;\n"
    script = f"queueMicrotask(() => {{\n{one}}});\nqueueMicrotask(() => {{\n{two}}});\n"
    assert Path(bundles.find("page.js")).read_text() == script
    assert {name for name, _ in bundles.list(None)} == {"page.css", "page.js"}
    assert bundles.find("page.txt") == []


def test_what_was_put_together_is_removed_and_made_again() -> None:
    bundles = Bundles()
    made = Path(bundles.find("page.css"))

    remove()

    assert not made.parent.exists()
    assert Path(bundles.find("page.css")).exists()
