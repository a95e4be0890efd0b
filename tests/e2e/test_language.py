"""German and English, as people whose browsers speak them meet the pages."""

import asyncio
import re
from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, expect

from tests.e2e.conftest import Site, Visitor, watched

SOME_CODE = "/echo\n```python\nprint(1)\n```"


@pytest_asyncio.fixture(loop_scope="session")
async def german(browser: Browser, site: Site) -> AsyncIterator[Page]:
    """The page of somebody with a German browser, whose console stays silent."""
    context = await browser.new_context(locale="de-DE")
    await context.grant_permissions(["clipboard-read", "clipboard-write"])
    visitor = watched(await context.new_page())
    await visitor.page.goto(site.link)
    yield visitor.page
    assert visitor.complaints == []
    await context.close()


def last_reply(page: Page) -> Locator:
    return page.locator('article[data-role="assistant"]').last


async def say(page: Page, text: str) -> None:
    box = page.get_by_role("textbox", name="Nachricht", exact=True)
    await box.fill(text)
    await box.press("Enter")


async def test_a_german_browser_chats_in_german(german: Page) -> None:
    await expect(german.locator("html")).to_have_attribute("lang", "de")
    await expect(german.get_by_role("heading", name="Was möchtest du fragen?")).to_be_visible()

    await say(german, "/tokens 5000 /pace 100 /delay 0")
    await expect(last_reply(german).locator(".prose")).to_contain_text(re.compile(r"\w+ \w+"))
    await german.get_by_role("button", name="Anhalten").click()

    await expect(last_reply(german)).to_have_attribute("data-status", "stopped")
    line = last_reply(german).locator(".timing")
    await expect(line).to_have_text(
        re.compile(r"Angehalten · erstes Token \d+,\d\d s · gesamt \d+,\d s")
    )
    await expect(german.locator("#said")).to_have_text(re.compile(r"Angehalten, Wörter .*: \d"))
    await expect(german.get_by_role("button", name="Senden", exact=True)).to_be_visible()
    await expect(german.locator("#listing h2", has_text="Heute")).to_be_visible()


async def test_notices_and_failures_are_german(german: Page) -> None:
    await say(german, "/fault 429")
    reply = last_reply(german)
    await expect(reply).to_have_attribute("data-status", "error")
    await expect(reply).to_contain_text("Das Anfragelimit des Endpunkts ist erreicht")
    await expect(reply.locator("blockquote")).to_contain_text("Rate limit reached")

    await say(german, " ")

    await expect(german.get_by_role("alert")).to_contain_text("Schreib erst eine Nachricht")


async def test_what_scripts_say_is_german(german: Page) -> None:
    box = german.get_by_role("textbox", name="Nachricht", exact=True)
    await box.fill("x" * 32_001)
    said = await box.evaluate("box => box.validationMessage")
    assert said == "Eine Nachricht kann 32.000 Zeichen haben; diese hat 32.001."

    await say(german, SOME_CODE)
    copy = last_reply(german).locator("[data-copy]")
    await expect(copy).to_have_text("Kopieren")
    await copy.click()
    await expect(copy).to_have_text("Kopiert")
    await copy.click()
    await expect(copy).to_have_text("Kopieren")


async def test_dates_and_keys_are_german(german: Page, site: Site) -> None:
    await say(german, "/echo hallo")
    await expect(last_reply(german)).to_have_attribute("data-status", "complete")
    await german.goto(f"{site.origin}/conversations/")

    await expect(german.locator("time").first).to_have_text(
        re.compile(r"^\d\d?\. [A-ZÄ]\w+\.?, \d\d:\d\d$")
    )
    await german.keyboard.press("Control+/")
    sheet = german.get_by_role("dialog", name="Tastenkürzel")
    await expect(sheet.get_by_text("Strg").first).to_be_visible()


async def test_a_choice_of_english_holds_on_every_page(german: Page, site: Site) -> None:
    await german.goto(f"{site.origin}/preferences/")
    await german.get_by_label("Sprache").select_option(label="English")
    await german.get_by_role("button", name="Speichern").click()
    await expect(german.get_by_role("status")).to_have_text("Saved in this browser.")

    await german.goto(site.origin)
    await expect(german.locator("html")).to_have_attribute("lang", "en")
    box = german.get_by_role("textbox", name="Message", exact=True)
    await box.fill("/echo hi")
    await box.press("Enter")
    await expect(last_reply(german).locator(".timing")).to_contain_text("s in all")
    await german.get_by_role("button", name="Sign out").click()

    await expect(german.get_by_role("heading", name="Sign in")).to_be_visible()
    await german.get_by_role("link", name="Preferences").click()
    await german.get_by_label("Language").select_option(label="Deutsch")
    await german.get_by_role("button", name="Save").click()
    await german.goto(f"{site.origin}/login/")
    await expect(german.get_by_role("heading", name="Anmelden")).to_be_visible()


async def test_two_readers_of_one_reply_each_read_their_own_language(
    german: Page, visitor: Visitor
) -> None:
    await visitor.say("/pace 60 /tokens 60 " + SOME_CODE)
    await german.goto(visitor.page.url)

    for page in (german, visitor.page):
        await expect(last_reply(page)).to_have_attribute("data-status", "complete")

    await asyncio.gather(
        expect(last_reply(german).locator(".timing")).to_contain_text("gesamt"),
        expect(last_reply(german).locator("[data-copy]")).to_have_text("Kopieren"),
        expect(last_reply(visitor.page).locator(".timing")).to_contain_text("in all"),
        expect(last_reply(visitor.page).locator("[data-copy]")).to_have_text("Copy"),
    )
