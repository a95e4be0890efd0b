"""What the composer remembers: drafts, what was asked, prompts by name, and what waits."""

import re
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Locator, Page, Route, expect

from tests import chromium
from tests.e2e.conftest import PASSWORD, Site, Visitor, watched
from tests.e2e.relay import Relay

SLOW = "/tokens 5000 /pace 60"


async def answered(visitor: Visitor, text: str) -> None:
    await visitor.say(text)
    await visitor.until_status("complete")
    await expect(visitor.page.get_by_role("button", name="Send", exact=True)).to_be_visible()


async def another_tab(visitor: Visitor, address: str) -> Visitor:
    tab = watched(await visitor.page.context.new_page())
    await tab.page.goto(address)
    return tab


async def kept(visitor: Visitor, text: str) -> None:
    """Waits until the browser has written the draft down, as it does after a short pause."""
    found = "text => Object.values(localStorage).some(draft => JSON.parse(draft).text === text)"
    await visitor.page.wait_for_function(found, arg=text)


# --- Drafts --------------------------------------------------------------------------------------


async def test_a_draft_is_there_after_a_reload_and_in_a_new_tab(visitor: Visitor) -> None:
    await answered(visitor, "/echo one")
    await visitor.box.press_sequentially("half a thou")
    await visitor.page.reload()
    await expect(visitor.box).to_have_value("half a thou")

    await visitor.box.press_sequentially("ght")
    await kept(visitor, "half a thought")
    later = await another_tab(visitor, visitor.page.url)
    await expect(later.box).to_have_value("half a thought")


async def test_a_draft_is_there_when_the_browser_is_started_again(
    browser: Browser, site: Site, tmp_path: Path
) -> None:
    start = partial(
        browser.browser_type.launch_persistent_context,
        tmp_path,
        executable_path=chromium.PATH,
        args=chromium.FLAGS,
    )
    async with await start() as context:
        visitor = watched(await context.new_page())
        await visitor.page.goto(site.link)
        await visitor.box.fill("to be continued")
        await kept(visitor, "to be continued")

    async with await start() as context:
        visitor = watched(await context.new_page())
        await visitor.page.goto(site.origin)
        await expect(visitor.box).to_have_value("to be continued")


async def test_each_conversation_has_its_own_draft_and_the_one_to_come_too(
    visitor: Visitor, site: Site
) -> None:
    await answered(visitor, "/echo one")
    begun = visitor.page.url
    await visitor.box.fill("of the old one")
    await visitor.page.goto(site.origin)
    await expect(visitor.box).to_have_value("")
    await visitor.box.fill("/echo of the new one")
    await visitor.page.goto(begun)
    await expect(visitor.box).to_have_value("of the old one")
    await visitor.page.goto(site.origin)
    await expect(visitor.box).to_have_value("/echo of the new one")

    await visitor.box.press("Enter")
    await visitor.until_status("complete")
    await expect(visitor.box).to_have_value("")
    await visitor.page.goto(site.origin)
    await expect(visitor.box).to_have_value("")


async def test_each_tab_keeps_its_own_draft_and_a_new_one_has_the_last(visitor: Visitor) -> None:
    await answered(visitor, "/echo one")
    later = await another_tab(visitor, visitor.page.url)
    await visitor.box.fill("of the first")
    await kept(visitor, "of the first")
    await later.box.fill("of the second")
    await kept(later, "of the second")

    await visitor.page.reload()
    await expect(visitor.box).to_have_value("of the first")
    newest = await another_tab(visitor, visitor.page.url)
    await expect(newest.box).to_have_value("of the second")

    await later.box.fill("")
    await later.page.reload()
    await expect(later.box).to_have_value("")
    await visitor.page.reload()
    await expect(visitor.box).to_have_value("of the first")


async def test_what_was_sent_is_no_draft_any_more(visitor: Visitor) -> None:
    await answered(visitor, "/echo one")
    await answered(visitor, "/echo two")
    await visitor.page.reload()

    await expect(visitor.box).to_have_value("")


async def test_another_person_on_the_same_browser_sees_no_draft_of_mine(
    visitor: Visitor, site: Site
) -> None:
    await visitor.page.goto(site.origin)
    await visitor.box.fill("nobody else's business")
    await visitor.page.get_by_role("button", name="Sign out").click()
    await visitor.page.get_by_label("Name").fill("admin")
    await visitor.page.get_by_label("Password").fill(PASSWORD)
    await visitor.page.get_by_role("button", name="Sign in").click()
    await expect(visitor.box).to_have_value("")

    await visitor.page.get_by_role("button", name="Sign out").click()
    await visitor.page.goto(site.link)
    await expect(visitor.box).to_have_value("nobody else's business")


async def test_a_message_that_may_have_begun_a_conversation_begins_no_second_one(
    visitor: Visitor, site: Site
) -> None:
    await visitor.page.goto(site.origin)
    text = f"/echo {uuid.uuid4()}"

    async def lose_the_answer(route: Route) -> None:
        await route.fetch(max_redirects=0)
        await route.abort()

    await visitor.page.route("**/messages/", lose_the_answer)
    await visitor.box.fill(text)
    await visitor.box.press("Enter")
    await visitor.page.wait_for_url("chrome-error://**")
    await visitor.page.unroute("**/messages/")
    await visitor.page.goto(site.origin)
    await expect(visitor.box).to_have_value(text)
    await visitor.box.press("Enter")

    await visitor.until_status("complete")
    await expect(visitor.articles).to_have_count(2)
    listed = visitor.page.locator("nav.sidebar li").filter(has_text=text)
    await expect(listed).to_have_count(1)
    visitor.complaints[:] = [c for c in visitor.complaints if "net::ERR_FAILED" not in c]


async def test_old_drafts_make_room_for_new_ones(visitor: Visitor) -> None:
    await visitor.page.evaluate(
        """() => { for (let i = 0; i < 80; i++)
            localStorage.setItem(`draft 0 ${i}`, JSON.stringify({ text: "old", at: i })); }"""
    )
    await visitor.box.fill("the newest")
    await kept(visitor, "the newest")

    assert await visitor.page.evaluate("localStorage.length") == 50
    assert await visitor.page.evaluate("localStorage.getItem('draft 0 79')")


async def test_a_storage_that_is_full_or_forbidden_breaks_nothing(
    visitor: Visitor, site: Site
) -> None:
    for broken in (
        """Storage.prototype.setItem =
            () => { throw new DOMException("", "QuotaExceededError") }""",
        """Object.defineProperty(window, "localStorage",
            { get() { throw new DOMException("", "SecurityError") } })""",
    ):
        await visitor.page.add_init_script(broken)
        await visitor.page.goto(site.origin)
        await answered(visitor, "/echo one")
        await answered(visitor, "/echo two")


# --- Recall --------------------------------------------------------------------------------------


async def test_up_brings_back_what_was_asked_and_down_goes_forward(visitor: Visitor) -> None:
    await answered(visitor, "/echo one")
    await answered(visitor, "/echo two\nlines")
    box = visitor.box

    for key, text in (
        ("ArrowUp", "/echo two\nlines"),
        ("ArrowUp", "/echo one"),
        ("ArrowUp", "/echo one"),
        ("ArrowDown", "/echo two\nlines"),
        ("ArrowDown", ""),
        ("ArrowUp", "/echo two\nlines"),
        ("Escape", ""),
    ):
        await box.press(key)
        await expect(box).to_have_value(text)

    await box.press("ArrowUp")
    await box.press("Enter")
    await expect(visitor.articles).to_have_count(6)


async def test_up_in_a_text_that_was_changed_moves_the_caret(visitor: Visitor) -> None:
    await answered(visitor, "/echo one")
    await answered(visitor, "/echo two\nlines")
    box = visitor.box

    await box.press("ArrowUp")
    await box.press_sequentially("!")
    await box.press("ArrowUp")
    await expect(box).to_have_value("/echo two\nlines!")
    assert await box.evaluate("box => box.selectionStart") < len("/echo two\n")
    await box.press("Escape")
    await expect(box).to_have_value("/echo two\nlines!")

    await box.fill("")
    await box.press_sequentially("mine")
    for key in ("ArrowUp", "ArrowDown", "Escape"):
        await box.press(key)
        await expect(box).to_have_value("mine")


# --- Prompts by name -----------------------------------------------------------------------------


async def write_prompt(visitor: Visitor, site: Site, name: str, text: str, shared: bool) -> None:
    await visitor.page.goto(f"{site.origin}/prompts/")
    await visitor.page.get_by_role("link", name="New prompt").click()
    await visitor.page.get_by_label("Name").fill(name)
    await visitor.page.get_by_label("Text", exact=True).fill(text)
    if shared:
        await visitor.page.get_by_label("Share it").check()
    await visitor.page.get_by_role("button", name="Save").click()
    await expect(visitor.page.get_by_role("link", name=f"/{name}")).to_be_visible()


@pytest_asyncio.fixture(loop_scope="session")
async def author(visitor: Visitor, site: Site) -> AsyncIterator[Visitor]:
    """With two prompts, in a new conversation; both are gone afterwards."""
    await write_prompt(visitor, site, "review", "/echo Review\nthis:", shared=False)
    await write_prompt(visitor, site, "rewrite", "/echo <b>Rewrite</b>", shared=True)
    await visitor.page.goto(site.origin)
    yield visitor
    for name in ("review", "rewrite"):
        await visitor.page.goto(f"{site.origin}/prompts/")
        await visitor.page.get_by_role("link", name=f"/{name}").click()
        await visitor.page.get_by_text("Delete this prompt").click()
        await visitor.page.get_by_role("button", name="Delete").click()
        await expect(visitor.page.get_by_role("link", name=f"/{name}")).to_have_count(0)


def composer(visitor: Visitor) -> Locator:
    """The box, whatever its role is just now."""
    return visitor.page.get_by_label("Message", exact=True)


def offered(visitor: Visitor) -> Locator:
    return visitor.page.get_by_role("listbox", name="Prompts").get_by_role("option")


async def test_a_prompt_is_chosen_by_keyboard(author: Visitor) -> None:
    box, options = composer(author), offered(author)

    await box.press_sequentially("/re")
    await expect(options).to_have_count(2)
    combobox = author.page.get_by_role("combobox", name="Message", expanded=True)
    await expect(combobox).to_be_focused()
    await expect(combobox).not_to_have_attribute("aria-activedescendant", re.compile("."))
    await expect(author.page.get_by_role("status").filter(has_text="2 prompts")).to_be_attached()
    await box.press_sequentially("v")
    await expect(options).to_have_count(1)
    await box.press("Backspace")
    await expect(options).to_have_count(2)

    await box.press("ArrowDown")
    await box.press("ArrowDown")
    marked = author.page.locator("#prompt-options [aria-selected=true]")
    await expect(marked).to_contain_text("/rewrite")
    await expect(box).to_have_attribute(
        "aria-activedescendant", str(await marked.get_attribute("id"))
    )
    await box.press("ArrowDown")
    await expect(marked).to_contain_text("/review")
    await box.press("Enter")

    await expect(box).to_have_value("/echo Review\nthis:")
    await expect(author.box).to_be_focused()
    await expect(options).to_have_count(0)
    assert "/c/" not in author.page.url, "nothing was sent"


async def test_tab_and_the_mouse_choose_too_and_the_text_is_text(author: Visitor) -> None:
    box, options = composer(author), offered(author)

    await box.press_sequentially("/rewr")
    await expect(options).to_have_count(1)
    await box.press("ArrowUp")
    await box.press("Tab")
    await expect(box).to_have_value("/echo <b>Rewrite</b>")

    await box.fill("")
    await box.press_sequentially("/")
    await options.filter(has_text="/review").click()
    await expect(box).to_have_value("/echo Review\nthis:")
    await expect(author.box).to_be_focused()


async def test_a_whole_name_is_enough(author: Visitor) -> None:
    box = composer(author)

    await box.press_sequentially("/review")
    await box.press("Enter")

    await expect(box).to_have_value("/echo Review\nthis:")


async def test_what_was_not_chosen_is_sent_as_it_is(author: Visitor) -> None:
    box, options = composer(author), offered(author)

    await box.press_sequentially("/re")
    await expect(options).to_have_count(2)
    await box.press("Enter")
    await was_asked(author, "/re")

    await box.press_sequentially("/review")
    await expect(options).to_have_count(1)
    await box.press("Escape")
    await expect(options).to_have_count(0)
    await box.press("Enter")
    await was_asked(author, "/review")

    await box.press_sequentially("/help")
    await box.press("Enter")
    await was_asked(author, "/help")


async def was_asked(visitor: Visitor, text: str) -> None:
    """Waits until it stands in the transcript, and stops the reply."""
    await expect(visitor.page.locator(".prompt").last).to_have_text(text)
    await visitor.page.get_by_role("button", name="Stop", exact=True).click()
    await expect(visitor.page.get_by_role("button", name="Send", exact=True)).to_be_visible()


# --- The queue -----------------------------------------------------------------------------------


def queued(visitor: Visitor) -> Locator:
    return visitor.page.get_by_role("region", name="Queue").get_by_role("listitem")


async def test_two_wait_one_is_taken_back_and_the_other_is_sent(visitor: Visitor) -> None:
    page = visitor.page
    await visitor.say("/tokens 400 /pace 60")
    await visitor.until(bool)
    queue_button = page.get_by_role("button", name="Queue", exact=True)
    await expect(queue_button).to_be_hidden()
    await visitor.box.fill("/echo two")
    await expect(queue_button).to_be_visible()
    await visitor.box.press("Enter")
    await expect(visitor.box).to_have_value("")
    await visitor.box.fill("/echo three")
    await queue_button.click()
    await expect(queued(visitor)).to_have_count(2)
    await expect(visitor.box).to_have_value("")

    await page.reload()
    await expect(queued(visitor)).to_have_count(2)
    other = await another_tab(visitor, page.url)
    await expect(queued(other)).to_have_count(2)
    await page.get_by_role("button", name="Take back: /echo two").click()
    await expect(visitor.box).to_have_value("/echo two")
    await expect(visitor.box).to_be_focused()
    await expect(queued(other)).to_have_count(1)
    await expect(other.box).to_have_value("")

    await visitor.until(lambda text: text.strip() == "three", seconds=20)
    await visitor.until_status("complete")
    await expect(visitor.articles).to_have_count(4)
    await expect(queued(visitor)).to_have_count(0)
    await expect(visitor.box).to_have_value("/echo two")
    await expect(other.articles).to_have_count(4)
    assert other.complaints == []


async def test_a_message_whose_echo_is_lost_waits_once(
    remote: Visitor, relay: Relay, visitor: Visitor, site: Site
) -> None:
    await remote.say(SLOW)
    await remote.until(bool)
    relay.lose_answers()
    await remote.box.fill("/echo once")
    await remote.box.press("Enter")
    await visitor.page.goto(f"{site.origin}{urlsplit(remote.page.url).path}")
    await expect(queued(visitor)).to_have_count(1)
    await relay.cut()
    await expect(remote.page.locator("#offline")).to_be_visible()
    await relay.start()
    await expect(queued(remote)).to_have_count(1)
    await expect(remote.box).to_have_value("")
    await remote.page.get_by_role("button", name="Stop", exact=True).click()
    await remote.until_status("stopped")


async def test_a_stopped_reply_holds_the_queue_until_send_now(visitor: Visitor) -> None:
    page = visitor.page
    await visitor.say(SLOW)
    await visitor.until(bool)
    await visitor.box.fill("/echo two")
    await visitor.box.press("Enter")
    await expect(queued(visitor)).to_have_count(1)
    await page.get_by_role("button", name="Stop", exact=True).click()
    await visitor.until_status("stopped")
    await page.get_by_role("button", name="Send now").click()

    await visitor.until(lambda text: text.strip() == "two")
    await expect(queued(visitor)).to_have_count(0)


async def test_what_waits_can_be_recalled_too(visitor: Visitor) -> None:
    await visitor.say(SLOW)
    await visitor.until(bool)
    await visitor.box.fill("/echo two")
    await visitor.box.press("Enter")
    await expect(queued(visitor)).to_have_count(1)
    await expect(visitor.box).to_have_value("")

    for text in ("/echo two", SLOW):
        await visitor.box.press("ArrowUp")
        await expect(visitor.box).to_have_value(text)
    await visitor.page.get_by_role("button", name="Stop", exact=True).click()
    await visitor.until_status("stopped")


async def test_what_is_taken_back_stands_before_what_is_typed(visitor: Visitor) -> None:
    await visitor.say(SLOW)
    await visitor.until(bool)
    await visitor.box.fill("first")
    await visitor.box.press("Enter")
    await expect(queued(visitor)).to_have_count(1)
    await visitor.box.fill("then this")
    await visitor.page.get_by_role("button", name="Take back").click()

    await expect(visitor.box).to_have_value("first\n\nthen this")
    await visitor.page.get_by_role("button", name="Stop", exact=True).click()
    await visitor.until_status("stopped")


@asynccontextmanager
async def without_scripts(visitor: Visitor, context: BrowserContext) -> AsyncIterator[Page]:
    """The same page of the same person in a browser that runs no scripts."""
    assert context.browser is not None
    plain = await context.browser.new_context(
        storage_state=await context.storage_state(), java_script_enabled=False
    )
    page = await plain.new_page()
    await page.goto(visitor.page.url)
    yield page
    await plain.close()


async def test_without_scripts_a_message_is_queued_by_its_button(
    visitor: Visitor, context: BrowserContext
) -> None:
    await visitor.say(SLOW)
    await visitor.until(bool)
    async with without_scripts(visitor, context) as page:
        box = page.get_by_role("textbox", name="Message")
        await box.fill("/echo two")
        await page.get_by_role("button", name="Queue", exact=True).click()
        await expect(queued(visitor)).to_have_count(1)

        await page.get_by_role("button", name="Take back").click()
        await expect(box).to_have_value("/echo two")
        await expect(queued(visitor)).to_have_count(0)
    await visitor.page.get_by_role("button", name="Stop", exact=True).click()
    await visitor.until_status("stopped")


# --- Stop and send -------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["button", "key"])
async def test_one_press_stops_the_reply_and_sends(way: str, visitor: Visitor) -> None:
    button = visitor.page.get_by_role("button", name="Stop and send")
    await visitor.say(SLOW)
    await visitor.until(bool)
    await expect(button).to_be_hidden()
    await visitor.box.fill("/echo now")

    await (button.click() if way == "button" else visitor.box.press("Control+Enter"))

    await visitor.until(lambda text: text.strip() == "now")
    await expect(visitor.articles).to_have_count(4)
    await expect(visitor.articles.nth(1)).to_have_attribute("data-status", "stopped")
    await expect(visitor.box).to_have_value("")
    await expect(visitor.box).to_be_focused()
    await expect(queued(visitor)).to_have_count(0)


async def test_the_same_key_sends_where_nothing_runs(visitor: Visitor) -> None:
    await answered(visitor, "/echo one")
    await visitor.box.fill("/echo two")
    await visitor.box.press("Control+Enter")

    await visitor.until(lambda text: text.strip() == "two")
    await visitor.page.get_by_role("button", name="Shortcuts").click()
    await expect(visitor.page.get_by_text("Stop the reply and send")).to_be_visible()


async def test_without_scripts_a_button_stops_and_sends(
    visitor: Visitor, context: BrowserContext
) -> None:
    await visitor.say(SLOW)
    await visitor.until(bool)
    async with without_scripts(visitor, context) as page:
        await page.get_by_role("textbox", name="Message").fill("/echo now")
        await page.get_by_role("button", name="Stop and send").click()
        await visitor.until(lambda text: text.strip() == "now")
        await page.reload()
        await expect(page.locator("article").nth(1)).to_have_attribute("data-status", "stopped")
