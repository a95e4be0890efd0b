"""What a person does with what was said, by mouse and keyboard, in a real Chromium."""

import pytest
from playwright.async_api import Page, expect

from tests.e2e.conftest import Visitor


async def answered(visitor: Visitor, text: str) -> None:
    await visitor.say(text)
    await visitor.until_status("complete")
    await expect(visitor.page.get_by_role("button", name="Send", exact=True)).to_be_visible()


async def test_a_reply_is_made_anew_and_its_versions_are_browsed(visitor: Visitor) -> None:
    await answered(visitor, "/echo once")
    page = visitor.page

    await page.get_by_role("button", name="Regenerate").click()
    await expect(page.get_by_text("2/2")).to_be_visible()
    await page.get_by_role("button", name="Previous version").click()
    await expect(page.get_by_text("1/2")).to_be_visible()
    await page.reload()
    await expect(page.get_by_text("1/2")).to_be_visible()
    assert await visitor.articles.count() == 2


async def test_a_message_is_edited_in_place_and_sent_again(visitor: Visitor) -> None:
    await answered(visitor, "/echo one")
    page = visitor.page
    edit = page.get_by_role("link", name="Edit and send again")

    await edit.click()
    box = page.get_by_role("textbox", name="Your message, to be changed")
    await expect(box).to_be_focused()
    await page.get_by_role("link", name="Cancel").click()
    await expect(edit).to_be_visible()

    await edit.click()
    await box.fill("/echo two")
    await page.get_by_role("button", name="Send again").click()
    await expect(visitor.text).to_have_text("two")
    await expect(page.get_by_text("2/2")).to_be_visible()


async def test_keys_leave_an_edit_and_send_it(visitor: Visitor) -> None:
    await answered(visitor, "/echo one")
    page = visitor.page
    edit = page.get_by_role("link", name="Edit and send again")
    box = page.get_by_role("textbox", name="Your message, to be changed")

    await edit.click()
    await box.press("Escape")
    await expect(edit).to_be_focused()

    await edit.press("Enter")
    await box.fill("/echo two")
    await box.press("Escape")
    await expect(box).to_have_value("/echo two")

    await box.press("Control+Enter")
    await expect(visitor.text).to_have_text("two")


async def test_the_caret_of_an_edit_begins_behind_its_text(visitor: Visitor) -> None:
    await answered(visitor, "/echo one")
    page = visitor.page

    await page.get_by_role("link", name="Edit and send again").click()
    box = page.get_by_role("textbox", name="Your message, to be changed")
    await expect(box).to_be_focused()
    await page.keyboard.type(" more")

    await expect(box).to_have_value("/echo one more")


@pytest.mark.parametrize("typed", ["", "a thought"])
async def test_what_is_typed_in_an_edit_is_not_lost_to_a_deed_in_another_tab(
    typed: str, visitor: Visitor
) -> None:
    await answered(visitor, "/echo one")
    await answered(visitor, "/echo two")
    page = visitor.page
    other = await page.context.new_page()
    await other.goto(page.url)
    await visitor.box.fill(typed)
    await page.get_by_role("link", name="Edit and send again").last.click()
    edited = page.get_by_role("textbox", name="Your message, to be changed")
    await edited.fill("much better")

    await other.get_by_role("button", name="Delete from here on").nth(2).click()
    await other.locator("#confirm").get_by_role("button", name="Delete").click()

    await expect(edited).to_have_count(0)
    await expect(visitor.box).to_have_value("\n\n".join(filter(None, ["much better", typed])))
    await expect(page.locator("#notice")).to_contain_text("What you typed is in this box now")


async def test_an_edit_that_is_sent_or_left_leaves_nothing_in_the_box(visitor: Visitor) -> None:
    await answered(visitor, "/echo one")
    page = visitor.page
    edit = page.get_by_role("link", name="Edit and send again")
    edited = page.get_by_role("textbox", name="Your message, to be changed")

    await edit.click()
    await edited.fill("/echo three")
    await page.get_by_role("link", name="Cancel").click()
    await expect(edited).to_have_count(0)
    await expect(visitor.box).to_have_value("")

    await edit.click()
    await edited.fill("/echo two ")
    await page.get_by_role("button", name="Send again").click()
    await expect(visitor.text).to_have_text("two")
    await expect(visitor.box).to_have_value("")
    await expect(page.locator("#notice")).to_be_empty()


async def test_another_version_stands_where_the_one_before_it_stood(visitor: Visitor) -> None:
    page = visitor.page
    await answered(visitor, "/echo one")
    await answered(visitor, "/tokens 400 /pace max")
    await answered(visitor, "/tokens 400 /pace max")
    await page.get_by_role("link", name="Edit and send again").first.click()
    await page.get_by_role("textbox", name="Your message, to be changed").fill("/echo two")
    await page.get_by_role("button", name="Send again").click()
    await expect(visitor.text).to_have_text("two")
    await expect(page.get_by_role("button", name="Send", exact=True)).to_be_visible()
    await page.reload()  # and so it follows what is written
    await expect(page.get_by_text("2/2")).to_be_visible()
    tops = []

    for version, way in (("1/2", "Previous version"), ("2/2", "Next version")):
        top = "one => one.closest('article').getBoundingClientRect().top"
        before = await page.locator(".versions").first.evaluate(top)
        await page.get_by_role("button", name=way).click()
        await expect(page.get_by_text(version)).to_be_visible()
        await page.wait_for_timeout(500)  # in which it would go
        tops.append((before, await page.locator(".versions").first.evaluate(top)))

    assert max(abs(before - after) for before, after in tops) <= 2, tops


async def test_a_message_is_copied_as_it_was_written(visitor: Visitor) -> None:
    await visitor.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await answered(visitor, "/echo **loud** `code`")

    await visitor.reply.get_by_role("link", name="Copy as Markdown").click()
    await visitor.page.wait_for_selector("[data-said=Copied]")

    assert await visitor.page.evaluate("navigator.clipboard.readText()") == "**loud** `code`"


async def test_a_rating_is_a_switch_with_a_reason(visitor: Visitor) -> None:
    await answered(visitor, "/echo hm")
    page = visitor.page
    bad = page.get_by_role("button", name="Bad reply")

    await bad.click()
    await expect(bad).to_have_attribute("aria-pressed", "true")
    await page.get_by_role("textbox", name="What was wrong with it?").fill("Too short.")
    await page.get_by_role("button", name="Say why").click()
    await expect(page.get_by_text("You said: Too short.")).to_be_visible()
    await bad.click()
    await expect(bad).to_have_attribute("aria-pressed", "false")


async def test_a_turn_goes_only_after_a_question(visitor: Visitor) -> None:
    await answered(visitor, "/echo one")
    await answered(visitor, "/echo two")
    page = visitor.page
    bin_of_two = visitor.reply.get_by_role("button", name="Delete from here on")

    await bin_of_two.click()
    await page.get_by_role("button", name="Keep").click()
    assert await visitor.articles.count() == 4
    await bin_of_two.click()
    await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await expect(visitor.articles).to_have_count(2)


async def test_a_branch_is_a_conversation_of_its_own(visitor: Visitor) -> None:
    await answered(visitor, "/echo one")
    page = visitor.page
    before = page.url

    await visitor.reply.get_by_role("button", name="Branch off").click()
    await page.wait_for_url(lambda url: "/c/" in url and url != before)
    await expect(visitor.text).to_have_text("one")


async def menu(page: Page) -> None:
    await page.get_by_role("button", name="This conversation").click()


async def test_a_conversation_is_renamed_pinned_and_deleted_with_undo(visitor: Visitor) -> None:
    await answered(visitor, "/echo one")
    page = visitor.page
    url = page.url

    await menu(page)
    await page.get_by_role("textbox", name="Title").fill("A <new> name")
    await page.get_by_role("button", name="Rename").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("A <new> name")
    await menu(page)
    await page.get_by_role("button", name="Pin to the top").click()
    await expect(page.get_by_role("heading", name="Pinned")).to_be_visible()
    await menu(page)
    await page.get_by_role("button", name="Delete", exact=True).click()
    await page.get_by_role("button", name="Undo").click()
    await page.wait_for_url(url)
    await expect(visitor.text).to_have_text("one")
