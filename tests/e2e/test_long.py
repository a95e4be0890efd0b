"""A long conversation in the browser: scrolling up, links to old messages, live replies."""

import asyncio
import json
import subprocess
import sys
from dataclasses import dataclass

import pytest
from playwright.async_api import Page, Route, expect

from tests.e2e.conftest import ROOT, Site, Visitor

# The message under the reader's eye, and where it stands.
EYE = """() => {
  const { top } = document.querySelector('[data-scroller]').getBoundingClientRect();
  const article = [...document.querySelectorAll('article')]
    .find((one) => one.getBoundingClientRect().bottom > top + 100);
  return [article.id, article.getBoundingClientRect().top];
}"""


@dataclass(frozen=True)
class Long:
    """A conversation's address and the ids of its messages' elements."""

    address: str
    messages: list[str]


@pytest.fixture(scope="module")
def long(site: Site) -> Long:
    command = [sys.executable, "-m", "tests.e2e.prepare_long", "200"]
    done = subprocess.run(
        command, cwd=ROOT, env=site.environment, capture_output=True, text=True, check=True
    )
    conversation, messages = json.loads(done.stdout)
    return Long(f"{site.origin}/c/{conversation}/", [f"message-{one}" for one in messages])


async def shown(page: Page) -> list[str]:
    return list(await page.locator("article").evaluate_all("all => all.map((one) => one.id)"))


async def settled(page: Page) -> None:
    """Waits until what came into view has its true height."""
    for _ in range(4):
        await page.evaluate("new Promise(requestAnimationFrame)")


async def test_scrolling_up_brings_older_messages_and_moves_nothing_under_the_eye(
    visitor: Visitor, long: Long
) -> None:
    page = visitor.page
    await page.goto(long.address)
    await expect(visitor.articles.last).to_be_in_viewport()
    await expect(page.locator(f"#{long.messages[0]}")).to_have_count(0)
    scroller = page.locator("[data-scroller]")
    moved = []

    while await page.locator(f"#{long.messages[0]}").count() == 0:
        before = await visitor.articles.count()
        await scroller.evaluate("one => { one.scrollTop = 1400; }")
        await settled(page)
        name, top = await page.evaluate(EYE)
        await expect(visitor.articles).not_to_have_count(before)
        await settled(page)
        now = await page.locator(f"#{name}").evaluate("one => one.getBoundingClientRect().top")
        moved.append(abs(now - top))

    assert await shown(page) == long.messages
    assert max(moved) <= 2, moved
    await expect(page.get_by_role("link", name="Older messages")).to_have_count(0)


async def test_a_reader_at_the_very_top_stays_with_the_message_they_read(
    visitor: Visitor, long: Long
) -> None:
    page = visitor.page
    is_read = asyncio.Event()

    async def hold(route: Route) -> None:
        await is_read.wait()
        await route.continue_()

    await page.route("**/part/**", hold)
    await page.goto(long.address)
    await expect(visitor.articles.last).to_be_in_viewport()
    async with page.expect_request("**/part/**"):
        await page.locator("[data-scroller]").evaluate("one => one.scrollTo(0, 0)")
    await settled(page)
    name, top = await page.evaluate(EYE)
    before = await visitor.articles.count()

    is_read.set()
    await expect(visitor.articles).not_to_have_count(before)
    await settled(page)

    now = await page.locator(f"#{name}").evaluate("one => one.getBoundingClientRect().top")
    where = await page.locator("[data-scroller]").evaluate("one => one.scrollTop")
    assert abs(now - top) <= 2, (now, top, where)


async def test_a_link_to_an_old_message_leads_to_it_and_on_to_the_newest(
    visitor: Visitor, long: Long
) -> None:
    page, wanted = visitor.page, long.messages[70]

    await page.goto(f"{long.address}#{wanted}")

    await expect(page.locator(f"#{wanted}")).to_be_in_viewport()
    await expect(visitor.articles.last).to_have_attribute("id", long.messages[-1])
    follows = page.get_by_role("link", name="Show what follows")
    while await follows.count():
        before = await visitor.articles.count()
        await follows.click()
        await expect(visitor.articles).not_to_have_count(before)
    ids = await shown(page)
    assert ids == long.messages[long.messages.index(ids[0]) :]


async def test_an_older_message_that_was_loaded_shows_how_it_is_rated(
    visitor: Visitor, long: Long
) -> None:
    page = visitor.page
    await page.goto(long.address)
    await expect(visitor.articles.last).to_be_in_viewport()
    await page.locator("[data-scroller]").evaluate("one => one.scrollTo(0, 0)")
    old = page.locator(f"#{long.messages[-49]}")
    await old.wait_for()

    await old.get_by_role("button", name="Good reply").click()

    await expect(old.get_by_role("button", name="Good reply")).to_have_attribute(
        "aria-pressed", "true"
    )


async def test_a_reply_streams_below_a_long_conversation(visitor: Visitor, long: Long) -> None:
    await visitor.page.goto(long.address)

    await visitor.say("/echo the newest of all")

    await visitor.until(lambda text: text.strip() == "the newest of all")
    await expect(visitor.reply).to_be_in_viewport()
