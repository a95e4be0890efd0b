"""The administrator's history in a real browser: found, read, within our policy, for everybody."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from tests.e2e.axe import violations
from tests.e2e.conftest import PASSWORD, Site, Visitor, watched

LIST = "/admin/chatapp/conversation/"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def talk(browser: Browser, site: Site) -> str:
    """The id of a conversation with two replies to one prompt, which has words of its own."""
    context = await browser.new_context()
    visitor = watched(await context.new_page())
    await visitor.page.goto(site.link)
    await visitor.say("/echo <b>zebras</b> and **hovercraft** /pace max")
    await visitor.until_status("complete")
    await visitor.page.get_by_role("button", name="Regenerate").click()
    await visitor.page.get_by_text("2/2").wait_for()
    await visitor.until_status("complete")
    await context.close()
    return visitor.page.url.rstrip("/").rpartition("/")[2]


@pytest_asyncio.fixture(loop_scope="session")
async def administrator(browser: Browser, site: Site) -> AsyncIterator[Visitor]:
    """Signed in to the admin; the test fails if the console complained, of our policy above all."""
    context = await browser.new_context(viewport={"width": 1280, "height": 800})
    visitor = watched(await context.new_page())
    await visitor.page.goto(f"{site.origin}/admin/login/?next={LIST}")
    await visitor.page.get_by_label("Username").fill("admin")
    await visitor.page.get_by_label("Password").fill(PASSWORD)
    await visitor.page.keyboard.press("Enter")
    await visitor.page.get_by_role("heading", name="Conversations").wait_for()
    yield visitor
    await context.close()
    assert visitor.complaints == []


async def test_a_conversation_is_found_by_its_words_and_read(
    talk: str, administrator: Visitor
) -> None:
    page = administrator.page

    await page.get_by_role("textbox", name="Search").fill("zebras “hovercraft")
    await page.keyboard.press("Enter")
    await page.locator(f'a[href*="{talk}"]').click()
    replies = page.locator('article[data-role="assistant"]')
    await replies.nth(1).wait_for()

    assert "<b>zebras</b> and **hovercraft**" in await replies.first.inner_text()
    assert await page.locator("article b", has_text="zebras").count() == 0
    assert "not shown to the user" in await replies.first.inner_text()
    assert "version 2 of 2" in await replies.nth(1).inner_text()
    assert await replies.nth(1).get_by_role("img", name="When its pieces came").count() == 1


async def test_the_filters_work_by_what_stands_on_the_page(
    talk: str, administrator: Visitor
) -> None:
    page = administrator.page

    await page.get_by_label("User name").fill("demo")
    await page.get_by_label("User name").press("Enter")
    await page.get_by_role("link", name="up to 2 messages").click()
    await page.get_by_role("link", name="3 to 10").click()
    await page.locator(f'a[href*="{talk}"]').wait_for()

    assert "user=demo" in page.url
    assert "length=3-10" in page.url


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("what", ["list", "transcript"])
async def test_no_rule_of_accessibility_is_broken(
    what: str, width: int, talk: str, administrator: Visitor
) -> None:
    page: Page = administrator.page
    await page.set_viewport_size({"width": width, "height": 844})
    if what == "transcript":
        await page.goto(page.url.partition("/admin/")[0] + f"{LIST}{talk}/change/")

    found: list[str] = []
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        await page.reload()  # links change their colour slowly
        found += await violations(page)

    assert not found, "\n\n".join(found)
