"""The administrator's pages of operations in a real Chromium, beside a person who is answered."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.e2e.axe import FADED, violations
from tests.e2e.conftest import PASSWORD, Site, Visitor, watched
from tests.e2e.test_accessibility import SIZES

TRAFFIC = """
from datetime import timedelta
from django.contrib.auth.models import User
from django.utils import timezone
from chatapp.models import FigureClock
from tests.figures.traffic import some_traffic
now = timezone.now()
some_traffic(list(User.objects.all()), now - timedelta(hours=30), now, 120)
FigureClock.objects.all().delete()
"""
SCROLLS_SIDEWAYS = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
PAGES = ["running/", "health/", "usage/"]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def session(browser: Browser, site: Site) -> AsyncIterator[Any]:
    """The administrator's; there has been traffic."""
    site.manage("shell", "--command", TRAFFIC)
    context = await browser.new_context()
    page = await context.new_page()
    await page.goto(f"{site.origin}/admin/")
    await page.get_by_label("Username").fill("admin")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Log in").click()
    await page.get_by_role("link", name="Running replies").wait_for()
    yield await context.storage_state()
    await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def administrator(browser: Browser, site: Site, session: Any) -> AsyncIterator[Visitor]:
    """In front of the running replies; the test fails if the console complained."""
    context = await browser.new_context(storage_state=session)
    administrator = watched(await context.new_page())
    await administrator.page.goto(f"{site.origin}/admin/running/")
    yield administrator
    await context.close()
    assert administrator.complaints == []


async def test_a_running_reply_appears_grows_and_is_cancelled(
    visitor: Visitor, administrator: Visitor
) -> None:
    row = administrator.page.get_by_role("row").filter(has_text="demo")
    await expect(administrator.page.get_by_text("Nothing is being answered")).to_be_visible()

    await visitor.say("/tokens 9000 /pace 60")
    tokens = row.get_by_role("cell").nth(3)
    await expect(row.get_by_role("cell").nth(4)).not_to_have_text("", timeout=15_000)
    before = await tokens.inner_text()
    await expect(tokens).not_to_have_text(before, timeout=10_000)
    await administrator.page.set_viewport_size({"width": 390, "height": 844})
    assert not await administrator.page.evaluate(SCROLLS_SIDEWAYS)
    assert await violations(administrator.page) == []
    await row.get_by_role("button", name="Cancel the reply to demo").click()

    await visitor.until_status("stopped")
    await expect(visitor.reply).to_contain_text("Stopped")
    notice = administrator.page.locator("#notice")
    await expect(notice).to_have_text("The reply to demo is being stopped.")
    await expect(administrator.page.get_by_text("Nothing is being answered")).to_be_visible()


async def test_a_focused_button_stays_focused_while_the_table_changes(
    visitor: Visitor, administrator: Visitor
) -> None:
    await visitor.say("/tokens 9000 /pace 60")
    row = administrator.page.get_by_role("row").filter(has_text="demo")
    button = row.get_by_role("button")
    await button.focus()
    tokens = row.get_by_role("cell").nth(3)
    before = await tokens.inner_text()
    await expect(tokens).not_to_have_text(before, timeout=10_000)

    await expect(button).to_be_focused()
    await administrator.page.keyboard.press("Enter")
    await visitor.until_status("stopped")


async def test_without_scripts_there_is_a_table_and_a_form(
    visitor: Visitor, browser: Browser, site: Site, session: Any
) -> None:
    await visitor.say("/tokens 9000 /pace 60")
    await visitor.until(bool)
    context = await browser.new_context(storage_state=session, java_script_enabled=False)
    page = await context.new_page()
    await page.goto(f"{site.origin}/admin/running/")

    await page.get_by_role("button", name="Cancel the reply to demo").click()

    await expect(page.get_by_text("The reply to demo is being stopped.")).to_be_visible()
    await visitor.until_status("stopped")
    await context.close()


async def test_the_table_says_when_the_connection_is_lost(
    browser: Browser, site: Site, session: Any
) -> None:
    context = await browser.new_context(storage_state=session)
    page = await context.new_page()
    await page.route_web_socket("**/ws/**", lambda route: route.close(code=1011))
    await page.goto(f"{site.origin}/admin/running/")

    await expect(page.locator("#offline")).to_be_visible()
    await context.close()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("address", PAGES)
async def test_no_rule_is_broken_and_nothing_refused(
    address: str, size: str, browser: Browser, site: Site, session: Any
) -> None:
    context = await browser.new_context(storage_state=session, **SIZES[size])
    administrator = watched(await context.new_page())
    page = administrator.page
    await page.goto(f"{site.origin}/admin/{address}")
    await page.locator(".operations-page").wait_for()

    found: list[str] = []
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        await page.evaluate(FADED)
        found += [f"{scheme}: {line}" for line in await violations(page)]
    wide = await page.evaluate(SCROLLS_SIDEWAYS)
    await context.close()

    assert not found, "\n\n".join(found)
    assert administrator.complaints == []
    assert not wide, "the page scrolls sideways"
