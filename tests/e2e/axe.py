"""A page → what axe-core finds wrong with it by WCAG 2.0 to 2.2, A and AA.

axe-core comes from npm once, into the cache folder of whoever runs the tests.
"""

import hashlib
import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

import pytest
from playwright.async_api import Page

VERSION = "4.14.1"
SHA256 = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]

# Until colours that change slowly have changed; what never ends is not waited for.
FADED = """() => Promise.allSettled(document.getAnimations()
    .filter((one) => Number.isFinite(one.effect.getComputedTiming().endTime))
    .map((one) => one.finished))"""

_RUN = """async (tags) => {
    const { violations } = await axe.run(document, { runOnly: tags, resultTypes: ["violations"] });
    const told = (id, node) => `${id}: ${node.html.slice(0, 200)}\\n${node.failureSummary}`;
    return violations.flatMap(({ id, nodes }) => nodes.map((node) => told(id, node)));
}"""


def script() -> str:
    """axe-core's own text; skips the test where there is no npm to fetch it."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    kept = home / "chatapp-tests" / f"axe-{VERSION}.min.js"
    if not kept.exists():
        _fetch(kept)
    text = kept.read_bytes()
    assert hashlib.sha256(text).hexdigest() == SHA256, f"{kept} is not axe-core {VERSION}"
    return text.decode()


async def violations(page: Page) -> list[str]:
    """One line and more for each element that breaks a rule."""
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(script())  # our Content-Security-Policy lets no tag bring it in
    found: list[str] = await page.evaluate(_RUN, TAGS)
    return found


def _fetch(kept: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm, which fetches axe-core, is not installed: see tests/run")
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        command = [npm, "pack", "--silent", f"axe-core@{VERSION}", "--pack-destination", folder]
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=120)
        with tarfile.open(next(Path(folder).glob("*.tgz"))) as package:
            packed = package.extractfile("package/axe.min.js")
            assert packed is not None
            fresh = Path(folder, "axe.js")
            fresh.write_bytes(packed.read())
        shutil.move(fresh, kept)
