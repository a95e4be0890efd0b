"""The files of `static/` → their hashed and compressed copies, made anew when they are older."""

import fcntl
import os
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command

from chatapp.serving import bundles


def prepare() -> None:
    """Collects the static files if there is no manifest or anything is newer than it.

    Processes that start together take turns: the first collects for all.
    """
    if settings.DEBUG:
        return
    root = Path(settings.STATIC_ROOT)
    root.mkdir(parents=True, exist_ok=True)
    folder = os.open(root, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        if _is_stale(root / "staticfiles.json"):
            call_command("collectstatic", interactive=False, clear=True, verbosity=0)
            bundles.remove()
    finally:
        os.close(folder)


def _is_stale(manifest: Path) -> bool:
    ours = [f for folder in settings.STATICFILES_DIRS for f in folder.rglob("*")]
    sources = [Path(django.__file__), Path(bundles.__file__), *ours]
    newest = max(source.stat().st_mtime for source in sources)
    return not manifest.exists() or manifest.stat().st_mtime <= newest
