"""What people are told of their administrators, and an administrator's export, in Chromium."""

import csv
import io
import re
from collections.abc import AsyncIterator
from itertools import product
from pathlib import Path

import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page

from tests.e2e.axe import violations
from tests.e2e.conftest import PASSWORD, Site, Visitor, watched

LIST = "/admin/chatapp/conversation/"


@pytest_asyncio.fixture(loop_scope="session")
async def root(browser: Browser, site: Site) -> AsyncIterator[Page]:
    """The administrator's page; the test fails if the console complained."""
    context = await browser.new_context(viewport={"width": 1280, "height": 800})
    visitor = watched(await context.new_page())
    await signed_in(visitor.page, site)
    yield visitor.page
    await context.close()
    assert visitor.complaints == []


async def signed_in(page: Page, site: Site) -> None:
    await page.goto(f"{site.origin}/admin/")
    await page.get_by_label("Username").fill("admin")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Log in").click()
    await page.get_by_role("heading", name="Site administration").wait_for()


async def downloaded(page: Page, kind: str) -> str:
    await page.get_by_role("radio", name=kind).check()
    async with page.expect_download() as coming:
        await page.get_by_role("button", name="Export").click()
    return text_of(await (await coming.value).path())


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


async def test_people_are_told_who_else_reads(visitor: Visitor) -> None:
    line = visitor.page.get_by_text("Administrators can read this service’s conversations.")
    await line.wait_for()
    assert await line.get_attribute("role") is None, "it is no alert"

    await visitor.page.get_by_role("link", name="Who, and when?").click()

    await visitor.page.get_by_role("heading", name="Who can read conversations").wait_for()
    assert "admin" in await visitor.page.get_by_role("listitem").all_inner_texts()


async def test_what_is_filtered_is_exported_with_its_progress_and_written_down(
    visitor: Visitor, root: Page, site: Site
) -> None:
    await visitor.say("=HYPERLINK(1) marmalade /echo done")
    await visitor.until_status("complete")

    await root.goto(f"{site.origin}{LIST}?q=marmalade")
    await root.get_by_role("link", name="Export all of these").click()
    assert "One conversation" in await root.locator("#content").inner_text()
    text = await downloaded(root, "CSV")
    await root.get_by_text("Complete. Conversations: 1. Messages: 2.").wait_for()

    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))
    assert [row["role"] for row in rows] == ["user", "assistant"]
    assert rows[0]["text"].startswith("'=HYPERLINK") and rows[0]["person"] == "demo"
    assert await root.locator("progress").evaluate("bar => bar.value / bar.max") == 1

    await downloaded(root, "Markdown")  # the same page once more
    await root.goto(f"{site.origin}/admin/chatapp/auditevent/?action__exact=export")
    shown = await root.locator("#result_list").inner_text()
    assert shown.count("ended: complete") >= 2
    assert "filter: q=marmalade" in shown


async def test_an_export_needs_no_script(browser: Browser, visitor: Visitor, site: Site) -> None:
    await visitor.say("quince /echo done")
    await visitor.until_status("complete")
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await signed_in(page, site)

    await page.goto(f"{site.origin}{LIST}?q=quince")
    await page.get_by_role("link", name="Export all of these").click()
    text = await downloaded(page, "JSON Lines")
    await context.close()

    assert len(text.splitlines()) == 1 and '"quince /echo done"' in text


async def test_the_administrators_pages_break_no_rule(
    visitor: Visitor, root: Page, site: Site
) -> None:
    await visitor.say("medlar /echo done")
    await visitor.until_status("complete")
    talk = visitor.page.url.rstrip("/").rpartition("/")[2]
    await root.goto(f"{site.origin}{LIST}export/?q=medlar")
    await downloaded(root, "CSV")
    await root.goto(f"{site.origin}/admin/chatapp/auditevent/")
    event = await root.locator("#result_list tbody th a").first.get_attribute("href")
    addresses = {
        "/admin/",
        f"{LIST}export/?q=medlar",
        f"{LIST}{talk}/delete/",
        "/admin/chatapp/auditevent/",
        str(event),
    }

    found = {}
    page = await root.context.new_page()  # axe itself applies styles that the policy complains of
    for scheme, address in product(("light", "dark"), addresses):
        await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        await page.goto(f"{site.origin}{address}")
        for width in (1280, 390):
            await page.set_viewport_size({"width": width, "height": 800})
            if broken := await violations(page):
                found[address, width, scheme] = broken

    assert found == {}


async def test_a_deleted_conversation_closes_where_it_is_open(
    visitor: Visitor, root: Page, context: BrowserContext, site: Site
) -> None:
    await visitor.say("sloe /tokens 3000 /pace 20")
    await visitor.until(lambda text: len(text) > 10)
    talk = re.search("/c/([^/]+)/", visitor.page.url)
    assert talk

    await root.goto(f"{site.origin}{LIST}{talk[1]}/delete/")
    await root.get_by_role("button", name="Delete").click()
    await root.get_by_text("was deleted successfully").wait_for()

    await visitor.page.get_by_text("This conversation does not exist").wait_for()
