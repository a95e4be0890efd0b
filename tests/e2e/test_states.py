"""What a page shows when there is nothing to show, and that it fits narrow screens."""

import re

import pytest
from playwright.async_api import Browser, expect

from tests.e2e.conftest import Site, Visitor, watched

OVERFLOW = """() => [document.scrollingElement, document.querySelector('[data-scroller]')]
    .map((one) => one.scrollWidth - one.clientWidth)"""


async def test_an_example_comes_into_the_box_behind_what_was_typed(visitor: Visitor) -> None:
    await visitor.page.get_by_role("button", name="Compare TCP").click()
    await expect(visitor.box).to_have_value("Compare TCP and UDP in a table")
    await expect(visitor.box).to_be_focused()

    await visitor.box.fill("First this.")
    await visitor.page.get_by_role("button", name="Compare TCP").click()

    await expect(visitor.box).to_have_value("First this.\n\nCompare TCP and UDP in a table")


async def test_without_scripts_an_example_is_sent(browser: Browser, site: Site) -> None:
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(site.link)

    await page.get_by_role("button", name="Compare TCP").click()

    await expect(page.locator('article[data-role="user"]')).to_contain_text("Compare TCP")
    await context.close()


async def test_offline_the_box_says_so_and_keeps_what_is_typed(visitor: Visitor) -> None:
    await visitor.say("/echo hi")
    away = visitor.page.get_by_text("Messages can’t be sent just now")
    await expect(away).to_be_hidden()

    await visitor.page.context.set_offline(True)
    await visitor.box.fill("still here")
    await expect(away).to_be_visible()
    await visitor.page.context.set_offline(False)

    await expect(away).to_be_hidden()
    await expect(visitor.box).to_have_value("still here")


async def test_a_conversation_that_was_emptied_says_so_until_the_next_message(
    visitor: Visitor,
) -> None:
    page = visitor.page
    nothing = page.get_by_text("Nothing is left of this conversation")
    await visitor.say("/echo hi")
    await visitor.until_status("complete")
    await expect(nothing).to_be_hidden()

    await page.get_by_role("button", name="Delete from here on").first.click()
    await page.locator("#confirm").get_by_role("button", name="Delete").click()
    await expect(nothing).to_be_visible()

    await visitor.say("/echo again")
    await expect(nothing).to_be_hidden()


async def test_a_wait_counts_its_seconds_and_moves_nothing(visitor: Visitor) -> None:
    await visitor.say("/fault hang")
    waiting = visitor.page.locator(".waiting")
    await expect(waiting).to_be_visible()
    while not (height := await waiting.evaluate("one => one.offsetHeight")):
        pass  # it was just replaced by the same

    await expect(waiting.locator(".elapsed")).to_have_text(re.compile(r"^[1-9]\d* s$"))

    assert await waiting.evaluate("one => one.offsetHeight") == height
    await visitor.page.get_by_role("button", name="Stop", exact=True).click()
    await visitor.until_status("stopped")


@pytest.mark.parametrize("width", [320, 390])
async def test_nothing_makes_a_narrow_page_scroll_sideways(
    browser: Browser, site: Site, width: int
) -> None:
    context = await browser.new_context(
        viewport={"width": width, "height": 700}, has_touch=True, is_mobile=True
    )
    visitor = watched(await context.new_page())
    await visitor.page.goto(site.link)
    assert await visitor.page.evaluate(OVERFLOW) == [0, 0]

    await visitor.box.fill("Show me everything Markdown can do /pace max")
    await visitor.page.get_by_role("button", name="Send").tap()
    await visitor.until_status("complete")

    assert await visitor.page.evaluate(OVERFLOW) == [0, 0]
    sizes = await visitor.page.evaluate(
        """() => [...document.querySelectorAll('textarea, select, input:not([type=hidden])')]
            .filter((one) => one.checkVisibility())
            .map((one) => parseFloat(getComputedStyle(one).fontSize))"""
    )
    assert min(sizes) >= 16, "a phone zooms in on smaller ones"
    tools = visitor.articles.first.get_by_role("group", name="About this message")
    await expect(tools).to_have_css("opacity", "1")
    await visitor.page.get_by_role("button", name="Conversations").tap()
    await expect(visitor.page.locator("a.new")).to_be_in_viewport()
    assert visitor.complaints == []
    await context.close()
