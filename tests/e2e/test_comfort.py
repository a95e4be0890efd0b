"""Looks, times, keys, focus and announcements, as a person with a browser meets them."""

import asyncio
import re
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.e2e.conftest import Site, Visitor, watched
from tests.e2e.test_curation import answered
from tests.faults.chromium import chromium

WHITE, BLACK = "rgb(255, 255, 255)", "rgb(0, 0, 0)"


async def style(page: Page, selector: str, name: str) -> str:
    script = "([s, n]) => getComputedStyle(document.querySelector(s))[n]"
    return str(await page.evaluate(script, [selector, name]))


async def lightness(page: Page) -> float:
    """Of the page's ground: near 1 by day, near 0.2 by night."""
    found = re.search(r"oklch\(([\d.]+)", await style(page, "body", "backgroundColor"))
    assert found
    return float(found[1])


async def prefer(page: Page, **choices: str) -> None:
    """Chooses and saves; the names are those on the page."""
    await page.goto(page.url.partition("/c/")[0].rstrip("/") + "/preferences/")
    for label, choice in choices.items():
        group = page.get_by_role("group", name=label.replace("_", " "))
        await group.get_by_role("radio", name=choice).check()
    await page.get_by_role("button", name="Save").click()
    await page.get_by_text("Saved").wait_for()


async def focused(page: Page) -> str:
    """What has the focus, by its name."""
    return str(
        await page.evaluate(
            """() => {
                const found = document.activeElement;
                const name = found.getAttribute("aria-label") ?? found.textContent.trim();
                return `${found.tagName.toLowerCase()} ${name}`;
            }"""
        )
    )


async def test_a_chosen_theme_holds_against_the_system_and_on_every_page(visitor: Visitor) -> None:
    page = visitor.page
    await page.emulate_media(color_scheme="dark")
    assert await lightness(page) < 0.3

    await prefer(page, Colours="Light")
    seen = [await lightness(page)]
    for path in ("", "conversations/", "nowhere/", "login/"):
        await page.goto(f"{page.url.split('/')[0]}//{page.url.split('/')[2]}/{path}")
        seen.append(await lightness(page))
        assert await style(page, "html", "colorScheme") == "light"

    assert min(seen) > 0.95
    visitor.complaints[:] = [text for text in visitor.complaints if "404" not in text]


async def test_a_bigger_text_and_a_wider_page_are_chosen_without_scripts(
    browser: Browser, site: Site
) -> None:
    context = await browser.new_context(
        java_script_enabled=False, viewport={"width": 1280, "height": 800}
    )
    page = await context.new_page()
    await page.goto(site.link)
    before = await page.locator("#composer").bounding_box()

    await prefer(page, Text_size="Large", Width_of_the_text="Wide")
    await page.get_by_role("link", name="To your conversations").click()

    after = await page.locator("#composer").bounding_box()
    assert before and after
    assert after["width"] > before["width"] * 1.2
    assert await page.locator("html").get_attribute("data-text-size") == "large"
    await context.close()


@pytest.mark.parametrize("zone", ["Asia/Kathmandu", "America/Los_Angeles"])
async def test_times_are_told_by_the_browsers_clock(
    zone: str, browser: Browser, site: Site
) -> None:
    context = await browser.new_context(timezone_id=zone)
    visitor = watched(await context.new_page())
    await visitor.page.goto(site.link)
    await answered(visitor, "/echo now")
    await visitor.page.goto(f"{site.origin}/conversations/")

    told = await visitor.page.locator("time").first.get_attribute("datetime")

    assert told
    offset = datetime.now(ZoneInfo(zone)).utcoffset()
    assert datetime.fromisoformat(told).utcoffset() == offset
    assert visitor.complaints == []
    await context.close()


async def test_the_sheet_of_shortcuts_opens_and_closes_by_keys(visitor: Visitor) -> None:
    page = visitor.page
    sheet = page.get_by_role("dialog", name="Shortcuts")

    await visitor.box.press("?")
    assert await visitor.box.input_value() == "?"
    await expect(sheet).to_be_hidden()
    await visitor.box.press("Control+/")
    await expect(sheet).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(sheet).to_be_hidden()
    await expect(visitor.box).to_be_focused()

    await visitor.box.blur()
    await page.keyboard.press("?")
    await expect(sheet.get_by_text("Copy the last reply")).to_be_visible()
    await page.keyboard.press("?")
    await expect(sheet).to_be_hidden()


async def test_letters_move_about_outside_of_fields_and_combinations_everywhere(
    visitor: Visitor,
) -> None:
    page = visitor.page
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await answered(visitor, "/echo first")
    first = page.url
    await visitor.box.press("Control+Shift+O")
    await page.wait_for_url(lambda url: "/c/" not in url)
    await answered(visitor, "/echo second")
    second = page.url

    await visitor.box.press("Alt+ArrowDown")
    await page.wait_for_url(first)
    await visitor.box.blur()
    await page.keyboard.press("k")
    await page.wait_for_url(second)
    await visitor.box.blur()
    await page.keyboard.press("c")
    await expect(page.locator("#said")).to_have_text("Copied")
    assert await page.evaluate("navigator.clipboard.readText()") == "second"
    await page.keyboard.press("/")
    await expect(page.get_by_role("searchbox")).to_be_focused()
    await page.keyboard.press("Shift+Escape")
    await expect(visitor.box).to_be_focused()
    await visitor.box.press("n")
    assert await visitor.box.input_value() == "n"


async def test_escape_stops_the_reply_unless_something_else_wants_it(visitor: Visitor) -> None:
    page = visitor.page
    await visitor.say("/tokens 5000 /pace 100")
    await visitor.until(lambda text: len(text) > 20)

    await page.get_by_role("button", name="This conversation").click()
    await page.keyboard.press("Escape")
    await expect(page.locator("#menu")).to_be_hidden()
    await page.get_by_role("searchbox").press("Escape")
    assert await visitor.reply.get_attribute("data-status") == "streaming"
    await visitor.box.press("Escape")
    await visitor.until_status("stopped")


async def test_single_letters_can_be_turned_off(visitor: Visitor) -> None:
    page = visitor.page
    await prefer(page, Shortcuts_of_a_single_letter="Off")
    await page.keyboard.press("?")
    await page.keyboard.press("n")
    await page.keyboard.press("Control+/")

    sheet = page.get_by_role("dialog", name="Shortcuts")
    await expect(sheet.get_by_text("are off")).to_be_visible()
    await expect(sheet.locator("kbd").get_by_text("N", exact=True)).to_have_count(0)
    assert page.url.endswith("/preferences/?saved")


async def test_a_reply_is_announced_once_when_it_has_ended(visitor: Visitor) -> None:
    await answered(visitor, "/echo one")
    await watch_announcements(visitor.page)

    await answered(visitor, "/tokens 60 /pace 200")
    await visitor.say("/fault 429")
    await visitor.until_status("error")
    await visitor.say("/tokens 5000 /pace 100")
    await visitor.until(lambda text: len(text) > 40)
    await visitor.page.get_by_role("button", name="Stop", exact=True).click()
    await visitor.until_status("stopped")
    await expect(visitor.page.locator("#said")).to_have_text(re.compile("Stopped"))

    finished, failed, stopped = await visitor.page.evaluate("heard")
    assert re.fullmatch(r"Reply finished, \d+ words", finished)
    assert re.match(r"Failed: .*rate limit", failed)
    assert re.fullmatch(r"Stopped after \d+ words", stopped)
    assert await visitor.page.get_by_role("log").get_attribute("aria-live") == "off"


async def watch_announcements(page: Page) -> None:
    await page.evaluate(
        """() => {
            window.heard = [];
            const said = document.getElementById("said");
            new MutationObserver(() => said.textContent && heard.push(said.textContent))
                .observe(said, { childList: true });
        }"""
    )


async def test_tokens_cost_the_announcer_nothing(visitor: Visitor) -> None:
    """Two hundred tokens a second for a while: the lists of messages change by the reply only."""
    await answered(visitor, "/echo one")
    await visitor.page.evaluate(
        """() => {
            window.changes = 0;
            const count = new MutationObserver((records) => changes += records.length);
            for (const list of document.querySelectorAll("#history, #tail"))
                count.observe(list, { childList: true });
        }"""
    )

    await answered(visitor, "/tokens 600 /pace 200")

    assert len(await visitor.text_now()) > 1000
    assert await visitor.page.evaluate("changes") < 12


async def icon(page: Page) -> str | None:
    return await page.locator("link[rel=icon]").get_attribute("href")


async def test_the_tab_says_what_becomes_of_the_reply(visitor: Visitor) -> None:
    page = visitor.page
    await answered(visitor, "/echo one")
    before = await icon(page)

    await visitor.say("/tokens 5000 /pace 100")
    await expect(page).to_have_title(re.compile("^Writing"))
    assert await icon(page) != before
    await visitor.until(bool)
    await page.get_by_role("button", name="Stop", exact=True).click()

    await expect(page).not_to_have_title(re.compile("^Writing"))
    assert await icon(page) == before


async def test_the_tab_keeps_a_new_title_and_says_what_is_going_on(visitor: Visitor) -> None:
    page = visitor.page
    await visitor.say("/tokens 5000 /pace 100")
    await expect(page).to_have_title(re.compile("^Writing"))

    await page.locator("#heading").evaluate("(one) => one.textContent = 'A lighthouse'")
    await expect(page).to_have_title("Writing… · A lighthouse · chatapp")
    await page.get_by_role("button", name="Stop", exact=True).click()

    await expect(page).to_have_title("A lighthouse · chatapp")


async def test_a_tab_out_of_sight_says_that_its_reply_is_ready(site: Site) -> None:
    async with chromium() as context:
        visitor = watched(context.pages[0])
        page = visitor.page
        await page.goto(site.link)
        await answered(visitor, "/echo one")
        other = await context.new_page()
        await page.bring_to_front()
        await visitor.say("/tokens 120 /pace 60")
        await visitor.until(bool)

        await other.bring_to_front()
        async with asyncio.timeout(30):
            while not (await page.title()).startswith("Ready"):
                await asyncio.sleep(0.05)
        text = await visitor.text_now()
        await page.bring_to_front()
        await expect(page).not_to_have_title(re.compile("^Ready"))

        await answered(visitor, "/echo after")
        assert len(text) > 200
        assert visitor.complaints == []


async def test_a_look_away_in_mid_stream_loses_nothing(site: Site) -> None:
    async with chromium() as context:
        visitor = watched(context.pages[0])
        await visitor.page.goto(site.link)
        await answered(visitor, "/echo one")
        other = await context.new_page()
        await visitor.page.bring_to_front()
        await visitor.say("/tokens 200 /pace 80")
        for chars in (20, 100, 300):
            await visitor.until(lambda text, chars=chars: len(text) > chars)
            await other.bring_to_front()
            await visitor.page.bring_to_front()

        await expect(visitor.reply).to_have_attribute("data-status", "complete")
        text = await visitor.text_now()
        await visitor.page.reload()

        assert await visitor.text_now() == text
        assert visitor.complaints == []


async def test_stop_leaves_the_focus_where_it_was(visitor: Visitor) -> None:
    await visitor.say("/tokens 5000 /pace 100")
    await visitor.until(bool)
    stop = visitor.page.get_by_role("button", name="Stop", exact=True)
    await stop.focus()
    await stop.press("Enter")

    await visitor.until_status("stopped")
    await expect(visitor.page.get_by_role("button", name="Send", exact=True)).to_be_focused()


async def test_a_press_on_send_leaves_the_focus_in_the_box(visitor: Visitor) -> None:
    await answered(visitor, "/echo one")
    await visitor.box.fill("/echo two")
    await visitor.page.get_by_role("button", name="Send", exact=True).click()

    await expect(visitor.articles).to_have_count(4)
    await visitor.until_status("complete")
    await expect(visitor.box).to_be_focused()


async def test_the_focus_stays_on_the_control_that_changed_its_message(visitor: Visitor) -> None:
    await answered(visitor, "/echo one")
    page = visitor.page

    await page.get_by_role("button", name="Good reply").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Good reply")).to_have_attribute(
        "aria-pressed", "true"
    )
    assert await focused(page) == "button Good reply"

    await page.get_by_role("button", name="Regenerate").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("2/2")).to_be_visible()
    assert (await focused(page)).startswith("article")

    await page.get_by_role("button", name="Previous version").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("1/2")).to_be_visible()
    assert await focused(page) == "button Next version"

    await page.get_by_role("link", name="Edit and send again").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("textbox", name="Your message")).to_be_focused()
    await page.get_by_role("link", name="Cancel").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("link", name="Edit and send again")).to_be_focused()


async def test_deleting_a_turn_puts_the_focus_on_what_is_left(visitor: Visitor) -> None:
    await answered(visitor, "/echo one")
    await answered(visitor, "/echo two")
    page = visitor.page
    bins = page.get_by_role("button", name="Delete from here on")

    await bins.last.focus()
    await page.keyboard.press("Enter")
    await page.get_by_role("dialog").get_by_role("button", name="Delete").press("Enter")
    await expect(visitor.articles).to_have_count(2)
    assert await focused(page) == "button Delete from here on"

    await page.keyboard.press("Enter")
    await page.get_by_role("dialog").get_by_role("button", name="Delete").press("Enter")
    await expect(visitor.articles).to_have_count(0)
    await expect(visitor.box).to_be_focused()


async def test_nothing_moves_for_those_who_asked_for_that(visitor: Visitor) -> None:
    page = visitor.page
    await page.emulate_media(reduced_motion="reduce")
    await visitor.say("/tokens 5000 /pace 100")
    await visitor.until(bool)

    moving = await page.evaluate(
        """() => document.getAnimations()
            .map((animation) => animation.effect.target.className)
            .filter((name) => name !== "stop")"""
    )

    assert moving == []
    assert await style(page, ".scroller", "scrollBehavior") == "auto"
    await page.get_by_role("button", name="Stop", exact=True).click()
    await visitor.until_status("stopped")


@pytest.mark.parametrize("look", [{"contrast": "more"}, {"forced_colors": "active"}])
async def test_stronger_contrast_is_heeded(look: Any, visitor: Visitor) -> None:
    page = visitor.page
    await answered(visitor, "/echo one")
    await page.emulate_media(color_scheme="light", **look)

    assert await style(page, "body", "color") == BLACK
    assert await style(page, ".tools", "opacity") == "1"


async def test_a_rating_gets_its_reason_without_scripts(
    visitor: Visitor, context: BrowserContext, browser: Browser
) -> None:
    await answered(visitor, "/echo hm")
    plain = await browser.new_context(
        java_script_enabled=False,
        storage_state=await context.storage_state(),
    )
    page = await plain.new_page()
    await page.goto(visitor.page.url)

    await page.get_by_role("button", name="Good reply").click()
    await page.get_by_role("link", name="Say why").click()
    await page.get_by_role("textbox", name="What was good about it?").fill("It is <short>.")
    await page.get_by_role("button", name="Say why").click()

    await expect(page.get_by_text("You said: It is <short>.")).to_be_visible()
    await plain.close()
