"""Settings, presets and a reply from another endpoint, by keyboard, in a real Chromium."""

import asyncio
import re

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from tests.e2e.conftest import Site, Visitor, watched


def panel(page: Page) -> Locator:
    return page.locator("#settings")


async def open_panel(page: Page) -> Locator:
    await page.get_by_role("button", name="Settings").focus()
    await page.keyboard.press("Enter")
    await expect(panel(page)).to_be_visible()
    return panel(page)


async def asked(visitor: Visitor, text: str) -> None:
    await visitor.say(text)
    await visitor.until_status("complete")
    await expect(visitor.page.get_by_role("button", name="Send", exact=True)).to_be_visible()


async def test_settings_are_set_by_keyboard_and_used_from_the_first_message_on(
    visitor: Visitor,
) -> None:
    page = visitor.page
    fields = await open_panel(page)
    await fields.get_by_label("System prompt").fill("Be brief.")
    await fields.get_by_label("Temperature").fill("0.2")
    await page.keyboard.press("Enter")
    await expect(fields).to_be_hidden()

    await asked(visitor, "/wire")
    await expect(visitor.text).to_contain_text("Be brief.")
    await expect(visitor.text).to_contain_text("temperature")
    await expect(visitor.reply).to_contain_text("temperature 0.2 · system prompt “Be brief.”")

    fields = await open_panel(page)
    await fields.get_by_label("Max tokens").fill("500")
    await fields.get_by_label("Temperature").fill("")
    await page.keyboard.press("Enter")
    await expect(fields).to_be_hidden()
    await asked(visitor, "/wire")
    await expect(visitor.reply).to_contain_text("max tokens 500 · system prompt “Be brief.”")


async def test_the_panel_speaks_of_the_endpoint_that_is_picked(visitor: Visitor) -> None:
    page = visitor.page
    await visitor.choose("Scripted demo (Baseten Truss)")
    fields = await open_panel(page)
    await expect(fields.get_by_text("Baseten Truss) takes temperature 0 to 1.5")).to_be_visible()
    await expect(fields.get_by_label("Reasoning effort")).to_be_hidden()
    await page.keyboard.press("Escape")

    await visitor.choose("Scripted demo (Anthropic-compatible)")
    fields = await open_panel(page)
    await fields.get_by_label("Reasoning effort").select_option("max")
    await page.keyboard.press("Escape")
    await asked(visitor, "/wire")
    await expect(visitor.reply).to_contain_text("output_config")
    await expect(visitor.reply).to_contain_text("reasoning effort max")


async def test_a_draft_outlives_saved_settings_and_a_refused_field_says_why(
    visitor: Visitor,
) -> None:
    page = visitor.page
    await asked(visitor, "/echo hi")
    await visitor.box.fill("half a thou")
    fields = await open_panel(page)
    await fields.get_by_label("Top-p").fill("0.5")
    await fields.get_by_role("button", name="Save").click()
    await expect(fields).to_be_hidden()
    await expect(visitor.box).to_have_value("half a thou")

    fields = await open_panel(page)
    await expect(fields.get_by_label("Top-p")).to_have_value("0.5")
    await fields.get_by_label("Top-p").fill("five")
    await fields.get_by_role("button", name="Save").click()
    await expect(page.get_by_label("Top-p")).to_have_value("five")
    await expect(page.get_by_label("Top-p")).to_have_accessible_description(
        re.compile("Expected a number above 0")
    )
    assert visitor.complaints.pop().endswith("422 (Unknown Status)")
    await page.get_by_label("Top-p").fill("")
    await page.get_by_role("button", name="Save").click()
    await expect(visitor.box).to_have_value("half a thou")


async def test_a_preset_is_kept_and_applied_to_a_new_conversation(visitor: Visitor) -> None:
    page = visitor.page
    home = page.url
    await asked(visitor, "/echo hi")
    fields = await open_panel(page)
    await fields.get_by_label("System prompt").fill("Rhyme.")
    await fields.get_by_label("named").fill("Poet")
    await page.keyboard.press("Enter")
    await expect(fields).to_be_hidden()

    await page.goto(home)
    await visitor.box.fill("/wire")
    fields = await open_panel(page)
    await fields.get_by_label("Preset", exact=True).select_option(label="Poet")
    await fields.get_by_role("button", name="Apply").click()
    await expect(page.get_by_role("button", name="Settings, changed")).to_be_visible()
    await expect(visitor.box).to_have_value("/wire")
    await visitor.box.press("Enter")
    await visitor.until_status("complete")
    await expect(visitor.reply).to_contain_text("Rhyme.")

    await page.goto(f"{home}presets/")
    await page.get_by_role("link", name="Change Poet").click()
    await page.get_by_text("Delete this preset").click()
    await page.get_by_role("button", name="Delete", exact=True).click()
    await expect(page.get_by_role("heading", name="Presets")).to_be_visible()
    await expect(page.get_by_text("Poet")).to_have_count(0)


async def test_a_reply_is_asked_of_another_endpoint_by_keyboard(visitor: Visitor) -> None:
    page = visitor.page
    await asked(visitor, "/wire")
    elsewhere = page.get_by_role("button", name="Ask another endpoint")
    await elsewhere.focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("#others button").first).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(elsewhere).to_be_focused()

    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("2/2")).to_be_visible()
    await visitor.until_status("complete")
    await expect(visitor.reply.locator(".from")).to_have_text(
        "Scripted demo (Anthropic-compatible)"
    )
    await expect(page.locator("#others")).to_be_hidden()
    await page.reload()
    picked = page.locator("#endpoint option:checked")
    await expect(picked).to_have_text("Scripted demo (OpenAI-compatible)")

    await page.get_by_role("button", name="Regenerate", exact=True).click()
    await expect(page.get_by_text("3/3")).to_be_visible()
    await expect(visitor.reply.locator(".from")).to_have_text(
        "Scripted demo (Anthropic-compatible)"
    )


@pytest.mark.parametrize("width", [390, 1280])
async def test_without_scripts_everything_is_a_form(
    width: int, browser: Browser, site: Site
) -> None:
    context = await browser.new_context(
        java_script_enabled=False, viewport={"width": width, "height": 800}
    )
    visitor = watched(await context.new_page())
    page = visitor.page
    await page.goto(site.link)
    await page.get_by_role("button", name="Settings").click()
    await panel(page).get_by_label("Temperature").fill("0.3")
    await panel(page).get_by_role("button", name="Close").click()
    await visitor.box.fill("/wire")
    await page.get_by_role("button", name="Send", exact=True).click()
    await _until_ended(page)
    await expect(visitor.reply).to_contain_text("temperature 0.3")

    await page.get_by_role("button", name="Settings").click()
    await panel(page).get_by_label("Temperature").fill("0.4")
    await panel(page).get_by_role("button", name="Save").click()
    await page.get_by_role("button", name="Ask another endpoint").click()
    await page.get_by_role("button", name="Scripted demo (Baseten Truss)").click()
    await _until_ended(page)
    await expect(visitor.reply).to_contain_text("temperature 0.4")
    await expect(visitor.reply.locator(".from")).to_have_text("Scripted demo (Baseten Truss)")
    await context.close()


async def _until_ended(page: Page) -> None:
    async with asyncio.timeout(30):
        while not await page.get_by_role("button", name="Send", exact=True).is_visible():
            await asyncio.sleep(0.1)
            await page.reload()
