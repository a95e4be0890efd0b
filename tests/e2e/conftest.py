"""A real server, a real Chromium, and a visitor whose console must stay silent."""

import asyncio
import os
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import (
    Browser,
    BrowserContext,
    Locator,
    Page,
    async_playwright,
    expect,
)

from tests import chromium
from tests.e2e.relay import Relay
from tests.ports import free_port
from tests.unlimited import UNLIMITED

ROOT = Path(__file__).parent.parent.parent
PASSWORD = "four words of nonsense"
WAIT_S = 30.0
LATE = ["TimeoutError", "Locator expected", "Page.goto: net::"]

expect.set_options(timeout=WAIT_S * 1000)  # what comes late on a busy machine came


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One event loop for all of them: a browser belongs to the loop that started it.

    What a browser did not show in time is tried once more, and listed; what it showed wrong is not.
    """
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)
            item.add_marker(pytest.mark.flaky(reruns=1, only_rerun=LATE))


@dataclass(frozen=True)
class Site:
    """A demo server of its own, in a process of its own."""

    origin: str
    link: str
    environment: dict[str, str]

    def manage(self, *arguments: str) -> str:
        """Runs a management command on the site's database and returns what it prints."""
        command = [sys.executable, str(ROOT / "manage.py"), *arguments]
        done = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=True
        )
        return done.stdout


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site_in(tmp_path_factory.mktemp("site"), UNLIMITED) as site:
        yield site


@contextmanager
def site_in(folder: Path, settings: Mapping[str, str]) -> Iterator[Site]:
    """`settings` are variables of the environment; the database is `db.sqlite3` in the folder."""
    port = free_port()
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "chatapp.settings",
        "DATABASE_URL": f"sqlite:///{folder / 'db.sqlite3'}",
        "DEMO": "on",
        "HTTPS": "off",
        "UPSTREAM_ALLOWED_HOSTS": "127.0.0.1",
        "DEMO_MODEL_PORT": str(free_port()),
        "SECRET_KEY": "for-the-browser-" * 5,
        **settings,
    }
    log = (folder / "log").open("w+")
    command = [sys.executable, str(ROOT / "manage.py"), "demo"]
    command += ["--port", str(port), "--password", PASSWORD]
    server = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        link = _printed_link(server, Path(log.name))
        yield Site(f"http://127.0.0.1:{port}", link, environment)
        assert "Traceback" not in Path(log.name).read_text(encoding="utf-8")
    finally:
        server.terminate()
        server.wait(20)
        log.close()


def _printed_link(server: "subprocess.Popen[bytes]", log: Path) -> str:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        if found := re.search(r"http://\S+/demo/\S+", log.read_text(encoding="utf-8")):
            return found.group()
        time.sleep(0.1)
    raise AssertionError(f"the demo did not start: {log.read_text(encoding='utf-8')}")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium.PATH, args=chromium.FLAGS
        )
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def context(browser: Browser, site: Site) -> AsyncIterator[BrowserContext]:
    context = await browser.new_context(viewport={"width": 1280, "height": 800})
    yield context
    await context.close()


@dataclass
class Visitor:
    """A person in front of a page, and everything the console said to them."""

    page: Page
    complaints: list[str]

    @property
    def box(self) -> Locator:
        return self.page.get_by_role("textbox", name="Message")

    @property
    def articles(self) -> Locator:
        return self.page.locator("article")

    @property
    def reply(self) -> Locator:
        return self.page.locator('article[data-role="assistant"]').last

    @property
    def text(self) -> Locator:
        return self.reply.locator('[id^="text-"].prose')

    async def say(self, text: str) -> None:
        """Types and presses Enter; waits until the message stands in the transcript."""
        before = await self.page.locator('article[data-role="user"]').count()
        await self.box.fill(text)
        await self.box.press("Enter")
        await self.page.locator('article[data-role="user"]').nth(before).wait_for()

    async def until_status(self, *statuses: str, seconds: float = WAIT_S) -> None:
        wanted = re.compile(f"^({'|'.join(statuses)})$")
        await expect(self.reply).to_have_attribute("data-status", wanted, timeout=seconds * 1000)

    async def until(self, holds: Callable[[str], bool], seconds: float = WAIT_S) -> str:
        """Waits until `holds(text of the reply)`."""
        async with asyncio.timeout(seconds):
            while not holds(text := await self.text_now()):
                await asyncio.sleep(0.02)
        return text

    async def text_now(self) -> str:
        return str(
            await self.page.evaluate(
                """() => [...document.querySelectorAll('article[data-role="assistant"]')].at(-1)
                    ?.querySelector('[id^="text-"]')?.textContent ?? ''"""
            )
        )

    async def choose(self, endpoint: str) -> None:
        await self.page.get_by_label("Endpoint").select_option(label=endpoint)


def watched(page: Page) -> Visitor:
    visitor = Visitor(page, [])
    page.on(
        "console",
        lambda m: visitor.complaints.append(m.text) if m.type in ("error", "warning") else None,
    )
    page.on("pageerror", lambda error: visitor.complaints.append(str(error)))
    return visitor


@pytest_asyncio.fixture(loop_scope="session")
async def visitor(context: BrowserContext, site: Site) -> AsyncIterator[Visitor]:
    """Signed in by the printed link; the test fails if the console complained."""
    visitor = watched(await context.new_page())
    await visitor.page.goto(site.link)
    yield visitor
    assert visitor.complaints == []


@pytest_asyncio.fixture(loop_scope="session")
async def relay(site: Site) -> AsyncIterator[Relay]:
    relay = Relay(int(site.origin.rpartition(":")[2]))
    await relay.start()
    yield relay
    await relay.cut()


@pytest_asyncio.fixture(loop_scope="session")
async def remote(context: BrowserContext, site: Site, relay: Relay) -> AsyncIterator[Visitor]:
    """Signed in through the relay; the console may speak of the lost connection only."""
    visitor = watched(await context.new_page())
    await visitor.page.goto(site.link.replace(site.origin, relay.origin))
    yield visitor
    lost = re.compile(
        "^WebSocket connection to"
        r"|^htmx: htmx:ws:error: (Outgoing messages queue is full|\[object Event\])"
    )
    assert [text for text in visitor.complaints if not lost.match(text)] == []
