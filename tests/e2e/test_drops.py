"""A page in Chromium loses its connection in every way a browser can."""

import asyncio

from playwright.async_api import expect

from tests.e2e.conftest import Visitor
from tests.e2e.relay import Relay
from tests.faults.browser import browser
from tests.faults.figures import check


async def test_a_page_that_loses_its_connection_shows_and_keeps_everything() -> None:
    check(await browser(25))


async def test_a_message_without_an_echo_survives_a_reload_and_is_still_the_same(
    remote: Visitor, relay: Relay
) -> None:
    await remote.say("/echo hello")
    await remote.until_status("complete")
    relay.lose_answers()
    await remote.box.fill("/echo again")
    await remote.box.press("Enter")
    await asyncio.sleep(0.5)
    await relay.cut()
    await relay.start()
    await remote.page.reload()

    await expect(remote.box).to_have_value("/echo again")
    await remote.until(lambda text: text.strip() == "again")
    await remote.box.press("Enter")
    await expect(remote.box).to_have_value("")
    await remote.page.reload()
    await expect(remote.articles).to_have_count(4)
    await expect(remote.box).to_have_value("")


async def test_a_tab_that_was_offline_says_so_at_once_and_heals(remote: Visitor) -> None:
    await remote.say("/tokens 60 /pace 20")
    await remote.until(bool)
    await remote.page.context.set_offline(True)
    await expect(remote.page.locator("#offline")).to_be_visible()
    await remote.page.context.set_offline(False)

    await expect(remote.page.locator("#offline")).to_be_hidden()
    await remote.until_status("complete")
    await expect(remote.page.get_by_role("button", name="Send")).to_be_visible()


async def test_a_page_that_comes_back_keeps_what_somebody_does_in_it(
    remote: Visitor, relay: Relay
) -> None:
    page = remote.page
    for turns, text in enumerate(("/echo one", "/echo two words", "/tokens 90 /pace 30"), 1):
        await remote.say(text)
        await expect(remote.articles).to_have_count(2 * turns)
        if turns < 3:
            await remote.until_status("complete")
    await remote.until(bool)
    await page.get_by_role("link", name="Edit and send again").first.click()
    edited = page.get_by_role("textbox", name="Your message, to be changed")
    await edited.fill("half a thought")
    await page.evaluate("""() => {
        window.had = [...document.querySelectorAll(".message")];
        getSelection().selectAllChildren(had[3].querySelector(".prose"));
    }""")

    for _ in range(3):
        await relay.cut()
        await expect(page.locator("#offline")).to_be_visible()
        await relay.start()
        await expect(page.locator("#offline")).to_be_hidden()
    await remote.until_status("complete")

    await expect(edited).to_have_value("half a thought")
    assert await page.evaluate("getSelection().toString().trim()") == "two words"
    same = "[...document.querySelectorAll('.message')].map((one) => had.includes(one))"
    assert await page.evaluate(same) == [*[True] * 5, False]
    await expect(remote.articles).to_have_count(6)
