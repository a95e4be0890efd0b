"""The Chromium that the tests drive: Debian's own, without a screen."""

import shutil

PATH = shutil.which("chromium") or "chromium"
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
