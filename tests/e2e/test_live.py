"""Titles, marks and lists that come by themselves, in two tabs of a real Chromium."""

from playwright.async_api import BrowserContext, expect

from tests.e2e.conftest import Site, Visitor, watched


async def another_tab(context: BrowserContext, site: Site) -> Visitor:
    visitor = watched(await context.new_page())
    await visitor.page.goto(site.origin)
    return visitor


async def test_a_title_appears_in_the_sidebar_and_the_bar_by_itself(visitor: Visitor) -> None:
    page = visitor.page

    await visitor.say("please tell me a story of a lighthouse keeper /pace max")
    await expect(page.locator("#heading")).to_have_text("Story of a lighthouse keeper")
    await expect(page.locator("#listing [aria-current]")).to_have_text(
        "Story of a lighthouse keeper"
    )
    await expect(page).to_have_title("Story of a lighthouse keeper · chatapp")
    await expect(page.locator("#title")).to_have_value("Story of a lighthouse keeper")


async def test_a_title_of_ones_own_stays(visitor: Visitor) -> None:
    page = visitor.page
    await visitor.say("/tokens 150 /pace 50 of mountains")
    await visitor.until(bool)

    await page.get_by_role("button", name="This conversation").click()
    await page.get_by_role("textbox", name="Title").fill("My mountains")
    await page.get_by_role("button", name="Rename").click()
    await visitor.until_status("complete")

    await visitor.say("/echo more")
    await visitor.until_status("complete")
    await expect(page.locator("#heading")).to_have_text("My mountains")


async def test_marks_come_and_go_in_another_tab(
    visitor: Visitor, context: BrowserContext, site: Site
) -> None:
    other = await another_tab(context, site)

    await visitor.say("/tokens 200 /pace 60 rivers of the plain")
    listed = other.page.locator("#listing li").filter(has_text="ivers of the plain")
    await expect(listed.locator(".mark.running")).to_be_attached()
    await visitor.page.goto(site.origin)
    await expect(listed.locator(".mark.news")).to_be_attached()
    await expect(listed).to_contain_text("Rivers of the plain")
    await listed.get_by_role("link").click()
    await expect(other.page.locator("#heading")).to_have_text("Rivers of the plain")
    mine = visitor.page.locator("#listing li").filter(has_text="Rivers of the plain")
    await expect(mine).to_be_visible()
    await expect(mine.locator(".mark")).to_have_count(0)
    assert other.complaints == []


async def test_what_is_deleted_in_one_tab_goes_in_the_other(
    visitor: Visitor, context: BrowserContext, site: Site
) -> None:
    await visitor.say("/echo a conversation to be deleted")
    await visitor.until_status("complete")
    other = await another_tab(context, site)
    listed = other.page.locator("#listing li").filter(has_text="conversation to be deleted")
    await expect(listed).to_be_visible()

    await visitor.page.get_by_role("button", name="This conversation").click()
    await visitor.page.get_by_role("button", name="Delete", exact=True).click()

    await expect(listed).to_have_count(0)
    assert other.complaints == []


async def test_the_list_changes_around_the_reader(
    visitor: Visitor, context: BrowserContext, site: Site
) -> None:
    """The focus stays on the conversation that it was on, wherever that moves."""
    await visitor.say("/echo tne in focus")
    await visitor.until_status("complete")
    other = await another_tab(context, site)
    link = other.page.locator("#listing li").filter(has_text="ne in focus").get_by_role("link")
    await expect(link).to_have_text("Tne in focus")
    await link.focus()

    await visitor.page.goto(site.origin)
    await visitor.say("/echo the one above it")
    above = other.page.locator("#listing li").filter(has_text="One above it")
    await expect(above).to_be_visible()

    await expect(link).to_be_focused()


async def test_older_conversations_that_do_not_load_can_be_asked_for_again(
    visitor: Visitor, site: Site
) -> None:
    site.manage(
        "shell",
        "--command",
        "from chatapp.models import Conversation; from django.contrib.auth.models import User;"
        "from datetime import timedelta; from django.utils import timezone;"
        "visitor = User.objects.get(username='demo');"
        "[Conversation.objects.create(owner=visitor, title=f'old {n}',"
        " active_at=timezone.now() - timedelta(days=40, minutes=n)) for n in range(60)]",
    )
    page = visitor.page
    await page.route("**/conversations/?after=*", lambda route: route.fulfill(status=500))
    await page.goto(site.origin)
    more = page.locator("#more")
    await more.scroll_into_view_if_needed()
    await expect(more).to_have_text("Older conversations did not load. Try again")

    await page.unroute("**/conversations/?after=*")
    await more.click()
    await expect(page.locator("#older li").first).to_be_visible()
    count = await page.locator("#older li").count()
    await visitor.say("/echo something new")
    await expect(page.locator("#listing li").filter(has_text="Something new")).to_be_visible()
    visitor.complaints[:] = [text for text in visitor.complaints if "500" not in text]
    assert count >= 20
