"""Sharing and moving conversations, as people do it in a real Chromium."""

import json
import re
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, FilePayload, Page, expect

from tests.e2e.conftest import PASSWORD, Site, Visitor
from tests.images import png

ADD_READER = (
    "from django.contrib.auth.models import User;"
    "User.objects.filter(username='reader').exists()"
    f" or User.objects.create_user('reader', password='{PASSWORD}')"
)


# Whether the colour is the one of danger, whatever that is.
IS_RED = """(button) => {
    const probe = button.appendChild(document.createElement("i"));
    probe.style.color = "var(--danger)";
    const is = getComputedStyle(probe).color === getComputedStyle(button).color;
    probe.remove();
    return is;
}"""


async def answered(visitor: Visitor, text: str) -> None:
    await visitor.say(text)
    await visitor.until_status("complete")
    await expect(visitor.page.get_by_role("button", name="Send", exact=True)).to_be_visible()


@pytest_asyncio.fixture(loop_scope="session")
async def other(browser: Browser, site: Site) -> Page:
    """Another person's browser, not signed in yet."""
    site.manage("shell", "-v0", "-c", ADD_READER)
    context = await browser.new_context(base_url=site.origin)
    return await context.new_page()


async def test_a_link_is_made_copied_opened_by_another_and_revoked(
    visitor: Visitor, other: Page
) -> None:
    page = visitor.page
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await answered(visitor, "/echo The tides follow **the moon**.")

    await page.get_by_role("button", name="This conversation").click()
    await page.get_by_role("button", name="As it stands").click()
    await expect(page.get_by_text("The link is made.")).to_be_visible()
    revoke = page.get_by_role("button", name="Revoke")
    assert await revoke.evaluate(IS_RED), "what ends something looks like it"
    copy = page.get_by_role("button", name="Copy link")
    await copy.click()
    await expect(page.get_by_role("button", name="Copied")).to_be_visible()
    address = str(await page.evaluate("navigator.clipboard.readText()"))

    await other.goto(address)
    await other.get_by_label("Name").fill("reader")
    await other.get_by_label("Password").fill(PASSWORD)
    await other.get_by_role("button", name="Sign in").click()
    await expect(other).to_have_url(address)
    await expect(other.locator("strong", has_text="the moon")).to_be_visible()
    await expect(other.get_by_text("You can read it, not change it.")).to_be_visible()
    assert await other.locator("textarea, .tools, article button").count() == 0

    await other.get_by_role("button", name="Copy to my conversations").click()
    await expect(other.get_by_role("textbox", name="Message")).to_be_visible()
    await expect(other.locator("article strong")).to_have_text("the moon")

    await page.get_by_role("button", name="Revoke").click()
    await expect(revoke).to_have_count(0)
    answer = await other.goto(address)
    assert answer is not None and answer.status == 404


async def test_all_links_are_on_one_page(visitor: Visitor) -> None:
    page = visitor.page
    await answered(visitor, "/echo shared twice")
    await page.get_by_role("button", name="This conversation").click()
    await page.get_by_role("button", name="As it grows").click()
    await expect(page.get_by_role("link", name="As it grows")).to_be_visible()

    await page.get_by_role("link", name="All my links").click()
    row = page.locator("li", has_text="shared twice").first
    await expect(row.get_by_role("link", name="As it grows")).to_be_visible()
    await row.get_by_role("button", name="Revoke").click()
    await expect(page.locator("li", has_text="shared twice")).to_have_count(0)


async def test_a_conversation_is_exported_deleted_and_imported_again(
    visitor: Visitor, site: Site, tmp_path: Path
) -> None:
    page = visitor.page
    await answered(visitor, "/echo Keep this safe")
    await page.get_by_role("button", name="This conversation").click()
    async with page.expect_download() as downloading:
        await page.get_by_role("link", name="JSON").click()
    download = await downloading.value
    file = tmp_path / download.suggested_filename
    await download.save_as(file)
    assert file.name.endswith("Keep this safe.json")

    await page.get_by_role("button", name="Delete", exact=True).click()
    await expect(page.get_by_text("The conversation was deleted.")).to_be_visible()

    for words in (r"Imported\s*1\s.*there\s*0\s", r"Imported\s*0\s.*there\s*1\s"):
        await page.goto(f"{site.origin}/imports/")
        await page.get_by_label("File, at most").set_input_files(file)
        await page.get_by_role("button", name="Import").click()
        await page.locator('[data-import="over"]').wait_for()
        await expect(page.locator(".counts")).to_have_text(re.compile(words, re.DOTALL))

    await page.goto(f"{site.origin}/search/?q=safe")
    await page.get_by_role("link", name="Keep this safe").first.click()
    await expect(visitor.text).to_have_text("Keep this safe")


@pytest.mark.parametrize("kind", ["JSON", "zip"])
async def test_files_are_exported_and_imported_with_their_conversation(
    kind: str, visitor: Visitor, site: Site, tmp_path: Path
) -> None:
    page = visitor.page
    image: FilePayload = {"name": "cat.png", "mimeType": "image/png", "buffer": png(400, 300)}
    await page.get_by_label("Attach files").set_input_files([image])
    await page.locator("#attached > [data-chip]").wait_for()
    await answered(visitor, f"/echo a picture by {kind}")
    await page.get_by_role("button", name="This conversation").click()
    if kind == "zip":
        await page.get_by_role("link", name="All conversations").click()
    async with page.expect_download() as downloading:
        await page.locator("a[download]", has_text=kind).click()
    file = tmp_path / (await downloading.value).suggested_filename
    await (await downloading.value).save_as(file)
    await page.goto(f"{site.origin}/search/?q=picture+by+{kind}")
    await page.get_by_role("link", name=f"picture by {kind}").first.click()
    await page.get_by_role("button", name="This conversation").click()
    await page.get_by_role("button", name="Delete", exact=True).click()
    await expect(page.get_by_text("The conversation was deleted.")).to_be_visible()

    await page.goto(f"{site.origin}/imports/")
    await page.get_by_label("File, at most").set_input_files(file)
    await page.get_by_role("button", name="Import").click()
    await page.locator('[data-import="over"]').wait_for()

    await page.goto(f"{site.origin}/search/?q=picture+by+{kind}")
    await page.get_by_role("link", name=f"picture by {kind}").first.click()
    picture = page.get_by_role("img", name="cat.png")
    await expect(picture).to_be_visible()
    assert await picture.evaluate("async one => { await one.decode(); return one.naturalWidth; }")


async def test_a_link_keeps_a_reply_as_it_stood_when_it_is_continued(
    visitor: Visitor, site: Site
) -> None:
    page = visitor.page
    await visitor.say("/fault length /tokens 30")
    await visitor.until_status("complete")
    text = await visitor.text_now()
    await page.get_by_role("button", name="This conversation").click()
    await page.get_by_role("button", name="As it stands").click()
    link = page.get_by_role("link", name="As it stood")
    await expect(link.locator("time")).to_be_visible()
    address = await link.get_attribute("href")
    await page.keyboard.press("Escape")

    await page.get_by_role("button", name="Continue where it stopped").click()
    await visitor.until(lambda now: len(now) > len(text))
    await visitor.until_status("complete")

    await page.goto(f"{site.origin}{address}")
    assert await visitor.text_now() == text
    await expect(page.locator(".shared > header time")).to_be_visible()


async def test_an_import_tells_what_it_left_out_and_why(
    visitor: Visitor, site: Site, tmp_path: Path
) -> None:
    page = visitor.page
    file = tmp_path / "conversations.json"
    file.write_text(json.dumps([{"title": "<b>Foreign</b>", "x": 1}]), encoding="utf-8")
    await page.goto(f"{site.origin}/imports/")

    await page.get_by_label("File, at most").set_input_files(file)
    await page.get_by_role("button", name="Import").click()

    await expect(page.get_by_text("<b>Foreign</b>")).to_be_visible()
    await expect(page.get_by_text("It is not a conversation of chatapp's")).to_be_visible()


async def test_all_is_exported_in_one_zip(visitor: Visitor) -> None:
    page = visitor.page
    await answered(visitor, "/echo one of all")
    await page.get_by_role("link", name="All conversations").click()

    async with page.expect_download() as downloading:
        await page.get_by_role("link", name="Export all (zip)").click()

    assert (await downloading.value).suggested_filename.endswith(" chatapp.zip")
    assert await (await downloading.value).failure() is None
