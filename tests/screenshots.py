"""`python -m tests.screenshots [FOLDER]`: the main pages as people see them, for looking at.

Wide and phone, light and dark, from a demo server of its own; the pictures go to `screenshots/`.
"""

import argparse
import asyncio
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page, async_playwright

from tests import chromium
from tests.bench.processes import ROOT
from tests.ports import free_port

SIZES = {"wide": (1280, 800), "phone": (390, 844)}
SCHEMES = ("light", "dark")
PASSWORD = "for the pictures"


@contextmanager
def demo(folder: Path) -> Iterator[str]:
    """A demo server; the link that signs in."""
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "chatapp.settings",
        "DATABASE_URL": f"sqlite:///{folder / 'db.sqlite3'}",
        "DEMO_MODEL_PORT": str(free_port()),
        "SECRET_KEY": "for-the-pictures-" * 5,
        "DRAIN_SECONDS": "0",
    }
    log = folder / "log"
    with log.open("w") as output:
        command = [sys.executable, "manage.py", "demo", "--port", str(free_port())]
        command += ["--password", PASSWORD]
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)
    try:
        while not (found := re.search(r"http://\S+/demo/\S+", log.read_text())):
            assert server.poll() is None, log.read_text()
            time.sleep(0.1)
        yield found.group()
    finally:
        server.terminate()
        server.wait(20)


ADDRESSES = {
    "new": "",
    "list": "conversations/",
    "search": "search/?q=answer",
    "preferences": "preferences/",
    "own-data": "your-data/",
    "prompts": "prompts/new/",
    "presets": "presets/",
    "imports": "imports/",
}
ADMIN = {
    "admin": "",
    "admin-conversations": "chatapp/conversation/",
    "admin-endpoints": "chatapp/endpoint/",
    "admin-endpoint": "chatapp/endpoint/1/change/",
    "admin-running": "running/",
    "admin-health": "health/",
    "admin-usage": "usage/",
    "admin-limits": "chatapp/limit/",
    "admin-audit": "chatapp/auditevent/",
}


async def answered(page: Page, text: str) -> None:
    """Says it, and waits for the end of the reply."""
    ended = page.locator('article[data-role="assistant"][aria-busy="false"]')
    before = await ended.count()
    await page.get_by_role("textbox", name="Message").fill(text)
    await page.keyboard.press("Enter")
    await ended.nth(before).wait_for(timeout=60_000)
    await page.get_by_role("button", name="Send", exact=True).wait_for()


async def talk(page: Page) -> None:
    """Conversations to look at."""
    await answered(page, "Show me everything Markdown can do /pace max")
    await page.goto(page.url.partition("/c/")[0])
    await answered(page, "/fault 429")
    await page.goto(page.url.partition("/c/")[0])
    await answered(page, "/echo A first answer.")
    await answered(page, "/echo A second one. /pace max")
    regenerate = page.get_by_role("button", name="Regenerate")
    await regenerate.last.click()
    await page.get_by_text("2/2").wait_for()


async def take(browser: Browser, link: str, folder: Path) -> None:
    context = await browser.new_context()
    page = await context.new_page()
    await page.goto(link)
    origin = page.url.rstrip("/")
    pages = {"login": f"{origin}/login/"}
    await look_at(browser, pages, [], folder)

    await page.goto(origin)
    await talk(page)
    links = await page.locator("nav.sidebar li a").evaluate_all("all => all.map(a => a.href)")
    pages = {name: f"{origin}/{address}" for name, address in ADDRESSES.items()}
    pages |= {f"conversation-{i + 1}": address for i, address in enumerate(links)}
    await look_at(browser, pages, await context.cookies(), folder)

    context = await browser.new_context()
    page = await context.new_page()
    await page.goto(f"{origin}/admin/")
    await page.get_by_label("Username").fill("admin")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Log in").click()
    pages = {name: f"{origin}/admin/{address}" for name, address in ADMIN.items()}
    inside = f"{origin}/admin/chatapp/conversation/"
    pages["admin-transcript"] = inside + links[-1].rstrip("/").rpartition("/")[2] + "/change/"
    await look_at(browser, pages, await context.cookies(), folder)


async def look_at(browser: Browser, pages: dict[str, str], cookies: Any, folder: Path) -> None:
    """Each page, as whoever has the cookies sees it, in every size and scheme."""
    for size, (width, height) in SIZES.items():
        for scheme in SCHEMES:
            context = await browser.new_context(
                viewport={"width": width, "height": height},
                color_scheme=scheme,  # type: ignore[arg-type]
            )
            await context.add_cookies(cookies)
            page = await context.new_page()
            for name, address in pages.items():
                await page.goto(address)
                await page.wait_for_timeout(300)
                await page.screenshot(path=folder / f"{name}-{size}-{scheme}.png")
            await context.close()


async def run(folder: Path, link: str) -> None:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium.PATH, args=chromium.FLAGS
        )
        await take(browser, link, folder)
        await browser.close()


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary, demo(Path(temporary)) as link:
        asyncio.run(run(folder, link))
    print(f"{len(list(folder.glob('*.png')))} pictures in {folder}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.screenshots", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "screenshots")
    main(parser.parse_args().folder)
