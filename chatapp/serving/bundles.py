"""`static/css/*.css` and `static/js/*.js` → `page.css` and `page.js`: one request each, not twenty.

The files stand one after the other by their names, each script in a microtask of its own: nobody
sees another's names or breaks with it, and it may `return` where a page has nothing for it; they
can't import.
"""

import atexit
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
from django.core.files.storage import FileSystemStorage

BUNDLES = {"page.css": "css/*.css", "page.js": "js/*.js"}


class Bundles(BaseFinder):
    """Made anew whenever they are looked for, so a changed file shows at the next load."""

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:
        if path not in BUNDLES:
            return []
        made = str(_make(path))
        return [made] if find_all else made

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, Any]]:
        for name in BUNDLES:
            yield name, FileSystemStorage(_make(name).parent)


@atexit.register
def remove() -> None:
    """Removes what was made; it is made anew whenever it is looked for again."""
    if _folder.cache_info().currsize:
        rmtree(_folder(), ignore_errors=True)
        _folder.cache_clear()


@cache
def _folder() -> str:
    return mkdtemp(prefix="chatapp-bundles-")


def _make(name: str) -> Path:
    made = Path(_folder(), name)
    texts = [path.read_text(encoding="utf-8") for path in _sources(BUNDLES[name])]
    if name.endswith(".js"):
        texts = [f"queueMicrotask(() => {{\n{text}}});\n" for text in texts]
    made.write_text("".join(texts), encoding="utf-8")
    return made


def _sources(pattern: str) -> list[Path]:
    folders = map(Path, settings.STATICFILES_DIRS)
    return sorted(path for folder in folders for path in folder.glob(pattern))
