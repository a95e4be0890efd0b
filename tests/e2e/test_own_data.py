"""The page of all that is a person's, as they use it in a real Chromium."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.e2e.conftest import PASSWORD, Site, Visitor, watched

# Somebody new for each test: what they do to all of theirs is nobody else's business.
PEOPLE = ("ada", "emmy", "grace", "sofja")
ADD_PEOPLE = (
    "from django.contrib.auth.models import User;"
    f"[User.objects.create_user(name, password='{PASSWORD}') for name in {PEOPLE}]"
)


@pytest.fixture(scope="module")
def people(site: Site) -> Iterator[str]:
    site.manage("shell", "-v0", "-c", ADD_PEOPLE)
    return iter(PEOPLE)


@pytest.fixture
def name(people: Iterator[str]) -> str:
    return next(people)


@pytest_asyncio.fixture(loop_scope="session")
async def newcomer(browser: Browser, site: Site, name: str) -> AsyncIterator[Visitor]:
    context = await browser.new_context(
        base_url=site.origin, viewport={"width": 1280, "height": 800}
    )
    visitor = watched(await context.new_page())
    await sign_in(visitor.page, name)
    yield visitor
    assert visitor.complaints == []
    await context.close()


async def sign_in(page: Page, name: str) -> None:
    await page.goto("/login/?next=/")
    await page.get_by_label("Name").fill(name)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()


async def answered(visitor: Visitor, text: str) -> None:
    await visitor.say(text)
    await visitor.until_status("complete")


async def test_all_conversations_are_deleted_and_brought_back(newcomer: Visitor) -> None:
    page = newcomer.page
    for text in ("/echo one", "/echo two"):
        await page.goto("/")
        await answered(newcomer, text)
    await page.get_by_role("link", name="All conversations").click()
    await page.get_by_role("link", name="Your data").click()
    await expect(page.locator(".counts dd").first).to_have_text("2")
    delete = page.get_by_role("button", name="Delete all conversations")

    await delete.click()  # the box is not ticked, so the browser asks for it
    await expect(page.get_by_text("conversations were deleted")).to_have_count(0)
    await page.get_by_label("Yes, delete all 2 conversations").check()
    await delete.click()

    await expect(page.get_by_text("2 conversations were deleted.")).to_be_visible()
    await expect(delete).to_have_count(0)
    await page.get_by_role("button", name="Undo").click()
    await expect(page.locator(".counts dd").first).to_have_text("2")
    await page.get_by_role("link", name="To your conversations").click()
    await expect(page.locator("nav.sidebar li")).to_have_count(2)


async def test_who_leaves_is_signed_out_in_every_tab(newcomer: Visitor, name: str) -> None:
    page = newcomer.page
    await page.goto("/")
    await answered(newcomer, "/echo goodbye")
    other = watched(await page.context.new_page())
    await other.page.goto(page.url)
    await expect(other.articles.last).to_be_visible()

    await page.goto("/your-data/")
    await page.get_by_label("Your password").fill("not that")
    await page.get_by_role("button", name="Delete the account").click()
    await expect(page.get_by_role("alert")).to_contain_text("That does not fit.")
    newcomer.complaints.clear()  # Chromium tells of the 422
    await page.get_by_label("Your password").fill(PASSWORD)
    await page.get_by_role("button", name="Delete the account").click()

    await expect(page.get_by_role("heading", name="The account is deleted")).to_be_visible()
    notice = other.page.get_by_text("signed out").or_(other.page.get_by_text("does not exist"))
    await expect(notice.first).to_be_visible()
    await sign_in(page, name)
    await expect(page.get_by_role("alert")).to_contain_text("do not fit")


async def test_the_keyboard_is_enough(newcomer: Visitor) -> None:
    page = newcomer.page
    await page.goto("/")
    await answered(newcomer, "/echo keys")
    await page.goto("/your-data/")

    await page.get_by_label("Yes, delete my one conversation").focus()
    await page.keyboard.press("Space")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")

    await expect(page.get_by_role("status")).to_contain_text("The conversation was deleted.")


async def test_without_scripts_it_works_as_well(browser: Browser, site: Site, name: str) -> None:
    context = await browser.new_context(base_url=site.origin, java_script_enabled=False)
    page = await context.new_page()
    await sign_in(page, name)
    await page.goto("/your-data/")
    await page.get_by_label("Your password").fill(PASSWORD)
    await page.get_by_role("button", name="Delete the account").click()

    await expect(page.get_by_role("heading", name="The account is deleted")).to_be_visible()
    await context.close()
