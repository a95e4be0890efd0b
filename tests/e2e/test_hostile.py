"""Nothing a model says runs, loads or swaps anything, whatever it says and however it is cut."""

import asyncio
import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext

from tests.e2e.conftest import Site, Visitor, watched
from tests.e2e.raw_model import RawModel, random_cuts
from tests.rendering.corpus import PAYLOADS
from tests.rendering.page import BOXES, PROSE

GROUPS = [PAYLOADS[i : i + 24] for i in range(0, len(PAYLOADS), 24)]
ALLOWED = {tag.upper() for tag in f"{PROSE} {BOXES}".split()}


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def hostile(site: Site) -> AsyncIterator[None]:
    """An endpoint “hostile” that answers `group N` with the payloads of that group."""

    def answer(prompt: str) -> list[bytes]:
        number = int(re.findall(r"group (\d+)", prompt)[-1])
        text = "\n\n".join(GROUPS[number])
        return random_cuts(text.encode("utf-8", "replace"), number)

    model = RawModel(answer)
    url = await model.start()
    await asyncio.to_thread(
        site.manage, "endpoint", "set", "hostile", "--protocol", "truss", "--url", url
    )
    yield
    await asyncio.to_thread(site.manage, "endpoint", "remove", "hostile")
    await model.stop()


@pytest_asyncio.fixture(loop_scope="session", params=["with its policy", "without a policy"])
async def open_context(
    request: pytest.FixtureRequest, browser: Browser
) -> AsyncIterator[BrowserContext]:
    """The sanitizer must hold alone: the page's policy is switched off in the second round."""
    context = await browser.new_context(bypass_csp=request.param == "without a policy")
    yield context
    await context.close()


@pytest.mark.usefixtures("hostile")
async def test_hostile_answers_stay_text(open_context: BrowserContext, site: Site) -> None:
    page = await open_context.new_page()
    visitor = watched(page)
    foreign: list[str] = []
    dialogs: list[str] = []
    page.on("request", lambda r: None if r.url.startswith(site.origin) else foreign.append(r.url))
    page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    await page.goto(site.link)
    await visitor.choose("hostile")

    for number in range(len(GROUPS)):
        await visitor.say(f"group {number}")
        await visitor.until_status("complete")
        await _assert_only_text(visitor)
    requests_then: list[str] = []
    page.on("request", lambda r: requests_then.append(r.url))
    await asyncio.sleep(0.5)
    await page.reload()
    await _assert_only_text(visitor)

    assert (foreign, dialogs) == ([], [])
    assert [url for url in requests_then if "/static/" not in url and "/c/" not in url] == []
    assert await page.locator("article").count() == 2 * len(GROUPS)
    assert await page.evaluate("Object.keys(window).filter(k => /pwn|xss/i.test(k))") == []
    assert visitor.complaints == []


async def _assert_only_text(visitor: Visitor) -> None:
    """The parts of a reply hold allowed elements only, and none of them carries an action."""
    found = await visitor.page.evaluate(
        """() => {
            const inside = [...document.querySelectorAll('article .prose *')];
            const active = /^(on|hx-|data-hx-|style$|src|srcdoc|action|formaction|xlink)/;
            return {
                tags: [...new Set(inside.filter(e => !e.closest('math')).map(e => e.tagName))],
                active: inside.flatMap(e => e.getAttributeNames()).filter(n => active.test(n)),
                links: inside.filter(e => e.hasAttribute('href')).map(e => e.href),
            };
        }"""
    )
    assert set(found["tags"]) <= ALLOWED, set(found["tags"]) - ALLOWED
    assert found["active"] == []
    assert all(re.match(r"(https?|mailto):", link) for link in found["links"])
