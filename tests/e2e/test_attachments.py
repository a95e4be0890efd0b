"""A person adds files to a message in the browser."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
from playwright.async_api import Browser, FilePayload, Locator, Route, expect

from tests.e2e.conftest import Site, Visitor
from tests.images import png

CAT: FilePayload = {"name": "cat.png", "mimeType": "image/png", "buffer": png(400, 300)}
NOTES: FilePayload = {"name": "notes.md", "mimeType": "text/markdown", "buffer": b"# Notes\n"}
PROGRAM: FilePayload = {"name": "a.png", "mimeType": "image/png", "buffer": b"MZ\x90\0\x03"}

# What a browser makes of files that are pasted into the box or dropped on the page.
TRANSFER = """([kind, name, type, bytes]) => {
    const carried = new DataTransfer();
    carried.items.add(new File([new Uint8Array(bytes)], name, { type }));
    const options = { bubbles: true, cancelable: true };
    const event = kind === "paste"
        ? new ClipboardEvent("paste", { ...options, clipboardData: carried })
        : new DragEvent(kind, { ...options, dataTransfer: carried });
    const target = kind === "paste" ? document.getElementById("text") : document.body;
    return target.dispatchEvent(event);
}"""


def chips(visitor: Visitor) -> Locator:
    return visitor.page.locator("#attached > li")


def ready(visitor: Visitor) -> Locator:
    return visitor.page.locator("#attached > [data-chip]")


async def pick(visitor: Visitor, *files: FilePayload) -> None:
    await visitor.page.get_by_label("Attach files").set_input_files(list(files))


async def bring(visitor: Visitor, kind: str, file: FilePayload) -> bool:
    """Whether the browser would still do with it what it does by itself."""
    carried = [kind, file["name"], file["mimeType"], list(file["buffer"])]
    return bool(await visitor.page.evaluate(TRANSFER, carried))


async def begin(visitor: Visitor) -> None:
    """A conversation, so that what follows goes by socket."""
    await visitor.say("/echo hello")
    await visitor.until_status("complete")


async def choose(visitor: Visitor, name: str) -> str:
    """Chooses the endpoint whose name has `name` in it; returns the whole of it."""
    picker = visitor.page.get_by_role("combobox", name="Endpoint")
    label = await picker.locator("option").filter(has_text=name).inner_text()
    await picker.select_option(label=label)
    return label


async def files_shown(visitor: Visitor) -> Locator:
    return visitor.page.locator('article[data-role="user"]').last.locator(".files li")


async def test_files_wait_in_the_queue_and_come_back_to_the_composer(visitor: Visitor) -> None:
    page = visitor.page
    queue = page.get_by_role("region", name="Queue").get_by_role("listitem")
    await visitor.say("/tokens 5000 /pace 60")
    await visitor.until(bool)
    await pick(visitor, CAT, NOTES)
    await expect(ready(visitor)).to_have_count(2)
    await page.get_by_role("button", name="Queue", exact=True).click()
    await expect(queue).to_contain_text("2 files")
    await expect(chips(visitor)).to_have_count(0)

    await page.reload()
    await expect(queue).to_contain_text("2 files")
    await page.get_by_role("button", name="Take back").click()
    await expect(ready(visitor)).to_have_count(2)
    await expect(queue).to_have_count(0)
    await page.reload()
    await expect(ready(visitor)).to_have_count(2)

    await visitor.box.fill("What is this? /pace max")
    await page.get_by_role("button", name="Stop and send").click()
    await visitor.until(lambda text: "I got 1 image" in text)
    await expect(await files_shown(visitor)).to_have_count(2)
    await expect(chips(visitor)).to_have_count(0)


async def test_a_message_whose_file_is_on_its_way_waits_with_it(visitor: Visitor) -> None:
    page = visitor.page
    is_due = asyncio.Event()

    async def hold(route: Route) -> None:
        await is_due.wait()
        await route.continue_()

    await visitor.say("/tokens 5000 /pace 60")
    await visitor.until(bool)
    await page.route("**/attachments/", hold)
    await visitor.box.fill("later")
    await pick(visitor, NOTES)
    await visitor.box.press("Enter")
    is_due.set()

    queue = page.get_by_role("region", name="Queue").get_by_role("listitem")
    await expect(queue).to_contain_text("1 file")
    await expect(visitor.box).to_have_value("")
    await page.get_by_role("button", name="Stop", exact=True).click()
    await visitor.until_status("stopped")


@pytest.mark.parametrize("way", ["form", "socket"])
async def test_files_go_with_the_message_and_stay_with_it(way: str, visitor: Visitor) -> None:
    if way == "socket":
        await begin(visitor)
    await pick(visitor, CAT, NOTES)
    await expect(ready(visitor)).to_have_count(2)
    await expect(chips(visitor).first).to_contain_text("cat.png")
    await visitor.say("What is this? /pace max")
    await visitor.until(lambda text: "I got 1 image" in text)

    await expect(chips(visitor)).to_have_count(0)
    for _ in range(2):
        shown = await files_shown(visitor)
        await expect(shown).to_have_count(2)
        await expect(shown.get_by_role("img", name="cat.png")).to_be_visible()
        await expect(shown.get_by_role("link", name="notes.md")).to_be_visible()
        width = await shown.get_by_role("img").evaluate(
            "async e => { await e.decode(); return e.naturalWidth; }"
        )
        assert width == 400
        await visitor.until_status("complete")
        await visitor.page.reload()
    await expect(chips(visitor)).to_have_count(0)


@pytest.mark.parametrize("kind", ["paste", "drop"])
async def test_a_file_is_pasted_or_dropped(kind: str, visitor: Visitor) -> None:
    await visitor.box.fill("words")
    if kind == "drop":
        assert not await bring(visitor, "dragover", CAT)
        await expect(visitor.page.locator("#composer[data-dropping]")).to_have_count(1)

    assert not await bring(visitor, kind, CAT)

    await expect(ready(visitor)).to_have_count(1)
    await expect(chips(visitor).locator("img")).to_be_visible()
    await expect(visitor.box).to_have_value("words")
    await expect(visitor.page.locator("#composer[data-dropping]")).to_have_count(0)


async def test_a_file_is_taken_away_with_the_keyboard(visitor: Visitor) -> None:
    await begin(visitor)
    await pick(visitor, CAT, NOTES)
    await expect(ready(visitor)).to_have_count(2)
    await visitor.page.get_by_role("button", name="Remove cat.png").press("Enter")

    await expect(chips(visitor)).to_have_count(1)
    await expect(visitor.page.get_by_role("button", name="Remove notes.md")).to_be_focused()
    await visitor.say("/pace max hello")
    await expect(await files_shown(visitor)).to_have_count(1)
    await visitor.page.reload()
    await expect(await files_shown(visitor)).to_contain_text("notes.md")


async def test_chips_survive_a_reload_until_they_are_removed(visitor: Visitor) -> None:
    await begin(visitor)
    await visitor.box.fill("half a thought")
    await pick(visitor, CAT, NOTES)
    await expect(ready(visitor)).to_have_count(2)

    await visitor.page.reload()

    await expect(ready(visitor)).to_have_count(2)
    await expect(visitor.box).to_have_value("half a thought")
    await visitor.page.get_by_role("button", name="Remove cat.png").click()
    await visitor.page.reload()
    await expect(ready(visitor)).to_have_count(1)
    await expect(chips(visitor)).to_contain_text("notes.md")


async def test_a_file_that_is_refused_says_why_and_the_message_goes(visitor: Visitor) -> None:
    await begin(visitor)
    large: FilePayload = {"name": "b.png", "mimeType": "", "buffer": bytes(5 * 1024 * 1024 + 1)}
    empty: FilePayload = {"name": "c.txt", "mimeType": "", "buffer": b""}
    await pick(visitor, PROGRAM, large, empty)

    await expect(chips(visitor).nth(0)).to_contain_text("“a.png” is neither a PNG, JPEG, GIF")
    await expect(chips(visitor).nth(1)).to_contain_text("Too large: an image can have 5.0")
    await expect(chips(visitor).nth(2)).to_contain_text("It is empty")
    assert all("422" in complaint for complaint in visitor.complaints)
    visitor.complaints.clear()
    await visitor.say("/echo hi")
    await expect(chips(visitor)).to_have_count(0)
    await expect(await files_shown(visitor)).to_have_count(0)


async def test_more_files_than_a_message_can_have_are_left_out(visitor: Visitor) -> None:
    await pick(visitor, *[NOTES | {"name": f"{i}.md"} for i in range(9)])  # type: ignore[misc]

    await expect(ready(visitor)).to_have_count(8)
    await expect(chips(visitor).nth(8)).to_contain_text("a message can have 8 files")


async def test_enter_waits_for_the_upload(visitor: Visitor) -> None:
    await begin(visitor)
    hold = asyncio.Event()

    async def late(route: Route) -> None:
        await hold.wait()
        await route.continue_()

    await visitor.page.route("**/attachments/", late)
    await pick(visitor, NOTES)
    await expect(chips(visitor)).to_contain_text("uploading")
    await visitor.box.fill("/echo with notes")
    await visitor.box.press("Enter")
    await expect(visitor.articles).to_have_count(2)
    hold.set()

    await expect(visitor.articles).to_have_count(4)
    await expect(await files_shown(visitor)).to_contain_text("notes.md")
    await expect(visitor.box).to_have_value("")


async def test_a_lost_upload_can_be_tried_again(visitor: Visitor) -> None:
    await begin(visitor)
    await visitor.page.route("**/attachments/", lambda route: route.abort())
    await pick(visitor, NOTES)
    await expect(chips(visitor)).to_contain_text("The connection broke")
    assert all("ERR_FAILED" in complaint for complaint in visitor.complaints)
    visitor.complaints.clear()
    await visitor.page.unroute("**/attachments/")

    await chips(visitor).get_by_role("button", name="Try again").click()

    await expect(ready(visitor)).to_have_count(1)


async def test_a_message_does_not_go_without_a_file_that_can_be_tried_again(
    visitor: Visitor,
) -> None:
    await begin(visitor)
    before = await visitor.articles.count()
    await visitor.page.route("**/attachments/", lambda route: route.abort())
    await pick(visitor, NOTES)
    await expect(chips(visitor)).to_contain_text("The connection broke")
    visitor.complaints.clear()
    await visitor.page.unroute("**/attachments/")
    await visitor.box.fill("Look at this")
    await visitor.box.press("Enter")

    notice = visitor.page.get_by_role("alert").filter(has_text="A file is not uploaded yet")
    await expect(notice).to_be_visible()
    again = chips(visitor).get_by_role("button", name="Try again")
    await expect(again).to_be_focused()
    assert await visitor.articles.count() == before
    await again.press("Enter")
    await expect(ready(visitor)).to_have_count(1)
    await visitor.box.press("Enter")

    await expect(await files_shown(visitor)).to_contain_text("notes.md")
    await expect(visitor.box).to_have_value("")
    await expect(notice).to_have_count(0)


async def test_a_refused_message_keeps_the_sentence_about_a_file_that_was_not_taken(
    visitor: Visitor,
) -> None:
    await begin(visitor)
    truss = await choose(visitor, "Truss")
    await pick(visitor, CAT, PROGRAM)
    left_out = chips(visitor).nth(1)
    await expect(left_out).to_contain_text("“a.png” is neither a PNG")
    assert all("422" in complaint for complaint in visitor.complaints)
    visitor.complaints.clear()
    await visitor.box.fill("Look at this")
    await visitor.box.press("Enter")

    notice = visitor.page.get_by_role("alert").filter(has_text=f"“{truss}” takes no images")
    await expect(notice).to_be_visible()
    await expect(left_out).to_have_attribute("data-state", "failed")
    await choose(visitor, "Anthropic")
    await visitor.box.press("Enter")
    await visitor.until(lambda text: "I got 1 image" in text)
    await expect(chips(visitor)).to_have_count(0)


async def test_an_endpoint_without_images_refuses_and_nothing_is_lost(visitor: Visitor) -> None:
    await begin(visitor)
    truss = await choose(visitor, "Truss")
    await pick(visitor, CAT)
    await expect(ready(visitor)).to_have_count(1)
    await visitor.box.fill("Look at this")
    await visitor.box.press("Enter")

    notice = visitor.page.get_by_role("alert").filter(has_text=f"“{truss}” takes no images")
    await expect(notice).to_be_visible()
    await expect(visitor.box).to_have_value("Look at this")
    await expect(ready(visitor)).to_have_count(1)
    await choose(visitor, "Anthropic")
    await visitor.box.press("Enter")
    await visitor.until(lambda text: "I got 1 image" in text)
    await expect(ready(visitor)).to_have_count(0)


async def test_a_refused_first_message_comes_back_with_its_files(visitor: Visitor) -> None:
    await choose(visitor, "Truss")
    await pick(visitor, CAT)
    await expect(ready(visitor)).to_have_count(1)
    await visitor.box.fill("Look at this")
    await visitor.box.press("Enter")

    await expect(visitor.page.get_by_role("alert")).to_contain_text("takes no images")
    await expect(visitor.box).to_have_value("Look at this")
    await expect(ready(visitor)).to_have_count(1)
    assert all("422" in complaint for complaint in visitor.complaints)
    visitor.complaints.clear()


async def test_a_form_larger_than_any_message_gets_a_sentence(visitor: Visitor) -> None:
    status, text = await visitor.page.evaluate(
        """async () => {
            const body = new FormData();
            const file = new File([new Uint8Array(48 * 1024 * 1024)], "huge.bin");
            body.append("file", file);
            const answer = await fetch("/attachments/", { method: "POST", body });
            return [answer.status, await answer.text()];
        }"""
    )

    assert status == 413
    assert "What was sent is larger than 21.0" in text
    assert all("413" in complaint for complaint in visitor.complaints)
    visitor.complaints.clear()


async def test_a_body_that_does_not_tell_its_length_is_bounded_as_well(site: Site) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(48):
            yield bytes(1024 * 1024)

    async with aiohttp.ClientSession() as session:
        answer = await session.post(f"{site.origin}/login/", data=pieces())

        assert answer.status == 413
        assert "What was sent is larger than 21.0" in await answer.text()
        assert (await session.get(f"{site.origin}/login/")).status == 200


async def test_the_file_opens_by_itself_and_can_do_nothing(visitor: Visitor) -> None:
    await pick(visitor, CAT)
    await expect(ready(visitor)).to_have_count(1)
    async with visitor.page.context.expect_page() as opening:
        await chips(visitor).get_by_role("link").click()
    opened = await opening.value

    await opened.wait_for_load_state()
    assert await opened.locator("img").evaluate("e => e.naturalWidth") == 400
    await opened.close()


async def test_without_scripts_files_go_with_the_form(browser: Browser, site: Site) -> None:
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(site.link)
    await page.get_by_label("Attach files").set_input_files([CAT, NOTES, PROGRAM])
    await page.get_by_role("textbox", name="Message").fill("Look")
    await page.get_by_role("button", name="Send").click()

    await expect(page.get_by_role("alert")).to_contain_text("“a.png” is neither")
    await expect(page.get_by_role("textbox", name="Message")).to_have_value("Look")
    await page.get_by_role("checkbox", name="Send notes.md").uncheck()
    await page.get_by_role("button", name="Send").click()
    shown = page.locator('article[data-role="user"] .files li')
    await expect(shown).to_have_count(1)
    await expect(shown.get_by_role("img", name="cat.png")).to_be_visible()
    await context.close()
