"""In Chromium: a limit is told in one sentence, and nothing that was typed is lost by it."""

import re
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, expect

from tests.e2e.axe import violations
from tests.e2e.conftest import PASSWORD, Site, Visitor, site_in, watched

LIMITS = {
    "LIMIT_PROMPTS_A_MINUTE": "3",
    "LIMIT_PARALLEL_REPLIES": "1",
    "LIMIT_TOKENS_A_DAY": "1000000",
    "LIMIT_SERVICE_TOKENS_A_MONTH": "9000000",
    "LIMIT_SOCKETS_A_PERSON": "4",
}

# However slow the machine is, the minute has only just begun.
THIS_MINUTE = "minute_from = CAST(STRFTIME('%s', 'now') AS INTEGER)"

Change = Callable[[str], None]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("limited")


@pytest.fixture(scope="module")
def limited(folder: Path) -> Iterator[Site]:
    """A site where nobody may do much, and no title takes tokens at a moment of its own."""
    with site_in(folder, LIMITS) as site:
        connection = sqlite3.connect(folder / "db.sqlite3", timeout=20)
        with connection:
            connection.execute(
                "UPDATE chatapp_endpoint SET options = json_set(options, '$.titles', json('false'))"
            )
        connection.close()
        yield site


@pytest.fixture
def usage(folder: Path, limited: Site) -> Change:
    """`usage("prompts = 3")` changes everybody's counters; at first none of them is used."""

    def change(values: str) -> None:
        connection = sqlite3.connect(folder / "db.sqlite3", timeout=20)
        with connection:
            connection.execute(f"UPDATE chatapp_usage SET {values}")
        connection.close()

    change("minute_from = 0, prompts = 0, day_tokens = 0, month_tokens = 0")
    return change


@pytest_asyncio.fixture(loop_scope="session")
async def person(browser: Browser, limited: Site, usage: Change) -> AsyncIterator[BrowserContext]:
    context = await browser.new_context(
        viewport={"width": 1280, "height": 800}, timezone_id="Asia/Tokyo"
    )
    yield context
    await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def visitor(person: BrowserContext, limited: Site) -> AsyncIterator[Visitor]:
    """Their zone is known from their second page on."""
    visitor = watched(await person.new_page())
    await visitor.page.goto(limited.link)
    await visitor.page.goto(limited.origin)
    yield visitor
    assert visitor.complaints == []


async def test_a_refused_message_stays_in_the_box_until_it_can_be_sent(
    visitor: Visitor, usage: Change
) -> None:
    notice, left = visitor.page.locator("#notice"), visitor.page.locator("#left")
    for number in ("one", "two", "three"):
        await expect(left).to_be_hidden()
        usage(THIS_MINUTE)
        await visitor.say(f"/echo {number}")
        await visitor.until_status("complete")
    await expect(left).to_have_text(
        re.compile(r"None left of your 3 prompts a minute until \d\d:\d\d(:\d\d)?\. Your limits")
    )
    assert await violations(visitor.page) == []

    usage(THIS_MINUTE)
    await visitor.box.fill("/echo four")
    await visitor.box.press("Enter")
    await expect(notice).to_have_text(
        re.compile(r"You can send 3 prompts a minute, and none are left until \d\d:\d\d(:\d\d)?\.")
    )
    await expect(visitor.box).to_have_value("/echo four")
    await expect(visitor.articles).to_have_count(6)

    usage("minute_from = minute_from - 60")
    await visitor.box.press("Enter")
    await visitor.until(lambda text: text.strip() == "four")
    await expect(visitor.box).to_have_value("")
    await expect(notice).to_be_empty()
    await expect(left).to_be_hidden()


async def test_one_reply_at_a_time_over_two_tabs(
    person: BrowserContext, visitor: Visitor, limited: Site
) -> None:
    other = watched(await person.new_page())
    await visitor.say("/tokens 5000 /pace 50")
    await visitor.until(bool)

    await other.page.goto(limited.origin)
    await other.box.fill("/echo meanwhile")
    await other.box.press("Enter")
    await expect(other.page.locator("#notice")).to_contain_text("1 reply of yours is being written")
    await expect(other.box).to_have_value("/echo meanwhile")
    await visitor.page.get_by_role("button", name="Stop", exact=True).click()
    await visitor.until_status("stopped")
    await visitor.page.get_by_role("button", name="Send", exact=True).wait_for()

    await other.box.press("Enter")
    await other.until(lambda text: text.strip() == "meanwhile")
    # The refusal of a form is an answer of its own, which the browser writes down.
    assert all("422" in words for words in other.complaints)


async def test_a_message_that_waits_says_for_which_limit(visitor: Visitor, usage: Change) -> None:
    await visitor.say("/tokens 30 /pace 20")
    await visitor.until(bool)
    usage("prompts = 3")
    await visitor.box.fill("/echo afterwards")
    await visitor.box.press("Enter")

    queue = visitor.page.get_by_role("region", name="Queue")
    await expect(queue).to_contain_text("Waiting: You can send 3 prompts a minute")
    await expect(queue.get_by_role("listitem")).to_contain_text("/echo afterwards")

    usage("minute_from = 0")
    await visitor.until(lambda text: text.strip() == "afterwards")
    await expect(queue).to_be_hidden()


async def test_the_preferences_tell_every_limit_and_when_it_begins_anew(
    visitor: Visitor, usage: Change, limited: Site
) -> None:
    await visitor.say("/echo hi")
    await visitor.until_status("complete")
    usage(f"{THIS_MINUTE}, day_tokens = 900000")

    await visitor.page.goto(f"{limited.origin}/preferences/")

    limits = visitor.page.get_by_role("region", name="Your limits")
    await expect(limits).to_contain_text(re.compile(r"1 of 3 used, 2 left"))
    await expect(limits).to_contain_text("900,000 of 1,000,000 used, 100,000 left")
    await expect(limits).to_contain_text(re.compile(r"Begins anew: \d+ \w+, 09:00"))
    await expect(limits.get_by_role("meter")).to_have_count(4)
    assert await violations(visitor.page) == []


async def test_a_page_too_many_says_so_and_stays_closed(
    person: BrowserContext, visitor: Visitor, limited: Site
) -> None:
    await visitor.say("/echo hi")
    await visitor.until_status("complete")
    *others, fifth = [watched(await person.new_page()) for _ in range(4)]
    for other, rating in zip(others, ("Bad reply", "Good reply", "Bad reply"), strict=True):
        await other.page.goto(visitor.page.url)
        await other.page.get_by_role("button", name=rating).click()
        await expect(visitor.page.get_by_role("button", name=rating)).to_have_attribute(
            "aria-pressed", "true"
        )
    await expect(visitor.page.locator(".reason")).to_be_visible()

    sockets: list[object] = []
    fifth.page.on("websocket", lambda socket: sockets.append(socket))
    await fifth.page.goto(visitor.page.url)

    await expect(fifth.page.locator("#notice")).to_contain_text("You have 4 pages open here")
    await expect(fifth.page.locator("#offline")).to_be_hidden()
    opened = len(sockets)
    await fifth.page.wait_for_timeout(1500)
    assert len(sockets) == opened, "it comes back only when it is loaded anew"

    await others[0].page.close()
    await fifth.page.reload()
    await expect(fifth.page.locator("#notice")).to_be_empty()
    await fifth.page.get_by_role("button", name="Good reply").click()
    await expect(visitor.page.get_by_role("button", name="Good reply")).to_have_attribute(
        "aria-pressed", "true"
    )


async def test_the_administrators_pages_of_limits_break_no_policy(
    person: BrowserContext, limited: Site
) -> None:
    admin = watched(await person.new_page())
    await admin.page.goto(f"{limited.origin}/admin/chatapp/limit/add/")
    await admin.page.get_by_label("Username").fill("admin")
    await admin.page.get_by_label("Password").fill(PASSWORD)
    await admin.page.get_by_role("button", name="Log in").click()

    await admin.page.get_by_label("Person").fill("demo")
    await admin.page.get_by_label("Tokens a day").fill("5000")
    await admin.page.get_by_role("button", name="Save", exact=True).click()

    row = admin.page.get_by_role("row").filter(has_text="5000")
    await expect(row).to_contain_text("demo")
    await expect(admin.page.get_by_text("of this month’s 9,000,000 tokens")).to_be_visible()
    await row.get_by_role("link").click()
    await admin.page.get_by_role("link", name="Delete", exact=True).click()
    await admin.page.get_by_role("button", name="Yes").click()
    assert admin.complaints == []
