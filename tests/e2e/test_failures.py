"""What goes wrong between a page and its server is said, and costs nothing that was typed."""

import pytest
from playwright.async_api import Browser, Page, Route, expect

from tests.e2e.conftest import Site, Visitor, watched
from tests.e2e.relay import Relay


def allow(visitor: Visitor, *beginnings: str) -> None:
    """The browser's own words for what the test breaks are no complaint."""
    visitor.complaints[:] = [text for text in visitor.complaints if not text.startswith(beginnings)]


@pytest.mark.parametrize("status", [502, 403])
async def test_an_error_page_takes_no_place_in_the_transcript(
    status: int, visitor: Visitor
) -> None:
    page = visitor.page
    await visitor.say("/echo hello")
    await visitor.until_status("complete")
    title = await page.title()

    async def break_down(route: Route) -> None:
        body = "<html><head><title>Bad Gateway</title></head><body><h1>Oh</h1></body></html>"
        await route.fulfill(status=status, body=body, content_type="text/html")

    await page.route("**/edit-form/", break_down)
    await page.get_by_role("link", name="Edit and send again").click()

    sentence = "the server answered 502" if status == 502 else "reload this page"
    await expect(page.locator("#notice")).to_contain_text(sentence)
    await expect(visitor.articles.first).to_contain_text("/echo hello")
    assert await page.title() == title
    allow(visitor, "Failed to load resource")


async def test_without_a_network_an_edit_says_that_it_did_not_begin(visitor: Visitor) -> None:
    page = visitor.page
    await visitor.say("/echo hello")
    await visitor.until_status("complete")
    await page.route("**/edit-form/", lambda route: route.abort())

    await page.get_by_role("link", name="Edit and send again").click()

    await expect(page.locator("#notice")).to_contain_text("the server was not reached")
    allow(visitor, "Failed to load resource", "htmx: htmx:error")


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("signed out", "You were signed out meanwhile"),
        ("502", "the server answered 502"),
        ("lost", "the server was not reached"),
    ],
)
async def test_what_could_not_be_fetched_is_not_copied(
    fault: str, sentence: str, visitor: Visitor
) -> None:
    page = visitor.page
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await visitor.say("/echo hello")
    await visitor.until_status("complete")
    await page.evaluate("navigator.clipboard.writeText('as it was')")

    async def break_down(route: Route) -> None:
        if fault == "lost":
            await route.abort()
        elif fault == "502":
            await route.fulfill(status=502, body="Oh")
        else:
            await page.context.clear_cookies()
            await route.continue_()

    await page.route("**/markdown/", break_down)
    await visitor.reply.get_by_role("link", name="Copy as Markdown").click()

    await page.wait_for_selector('[data-said="Not copied"]')
    await expect(page.locator("#notice")).to_contain_text(sentence)
    assert await page.evaluate("navigator.clipboard.readText()") == "as it was"
    allow(visitor, "Failed to load resource")


async def test_who_signs_in_again_elsewhere_goes_on_where_they_were(
    browser: Browser, site: Site
) -> None:
    context = await browser.new_context()
    visitor = watched(await context.new_page())
    await visitor.page.goto(site.link)
    await visitor.say("/echo hello")
    await visitor.until_status("complete")
    await visitor.box.fill("half a thought")
    other = await context.new_page()
    await other.goto(site.origin)
    await other.get_by_role("button", name="Sign out").click()

    notice = visitor.page.locator("#notice")
    await expect(notice).to_contain_text("You are signed out", timeout=60_000)
    await visitor.box.press("Enter")
    await expect(notice).to_contain_text("You are signed out")
    await expect(visitor.page.locator("#offline")).to_be_hidden()
    await come_into_sight(visitor.page)
    await expect(notice).to_contain_text("You are signed out")

    await other.goto(site.link)
    async with visitor.page.expect_navigation():
        await come_into_sight(visitor.page)
    await expect(visitor.box).to_have_value("half a thought")
    await visitor.box.fill("/echo again")
    await visitor.box.press("Enter")
    await visitor.until(lambda text: text.strip() == "again")
    allow(visitor, "htmx: htmx:ws:error")
    assert visitor.complaints == []
    await context.close()


async def come_into_sight(page: Page) -> None:
    """As a browser tells it that has windows."""
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


async def test_what_is_sent_as_the_connection_comes_back_is_not_taken_for_what_was_sent_before(
    remote: Visitor, relay: Relay
) -> None:
    await remote.say("/echo hello")
    await remote.until_status("complete")
    relay.lose_answers()
    await remote.box.fill("/echo again")
    await remote.box.press("Enter")
    await relay.until_lost(b"/echo again")
    await relay.cut()
    await expect(remote.page.locator("#offline")).to_be_visible()
    await remote.box.fill("/echo other")
    await remote.page.evaluate("""addEventListener(
        "htmx:ws:after:connection",
        () => setTimeout(() => document.querySelector("[data-composer]").requestSubmit()),
        { once: true },
    )""")
    await relay.start()

    await remote.until(lambda text: text.strip() == "other")
    await expect(remote.articles).to_have_count(6)
    await expect(remote.box).to_have_value("")


async def test_a_double_click_takes_a_message_back_once(visitor: Visitor) -> None:
    page = visitor.page
    await visitor.say("/tokens 400 /pace 20")
    await visitor.until(bool)
    await visitor.box.fill("a thought")
    await page.get_by_role("button", name="Queue", exact=True).click()
    await expect(page.locator("#queue li")).to_have_count(1)
    await page.evaluate("""() => {
        const button = document.querySelector("#queue button[form=unqueue]");
        button.click();
        button.click();
    }""")

    await expect(page.locator("#queue li")).to_have_count(0)
    await expect(visitor.box).to_have_value("a thought")
    await page.wait_for_timeout(500)
    assert await page.locator("[data-returned]").inner_html() == ""
    await expect(page.locator("#offline")).to_be_hidden()


async def test_what_is_taken_back_is_not_lost_with_the_connection(
    remote: Visitor, relay: Relay
) -> None:
    page = remote.page
    await remote.say("/tokens 400 /pace 20")
    await remote.until(bool)
    await remote.box.fill("a thought")
    await page.get_by_role("button", name="Queue", exact=True).click()
    await expect(page.locator("#queue li")).to_have_count(1)
    relay.lose_answers()
    await page.get_by_role("button", name="Take back").click()
    await relay.until_lost(b"a thought")
    await relay.cut()
    await expect(page.locator("#offline")).to_be_visible()
    await relay.start()
    await expect(page.locator("#offline")).to_be_hidden()

    await page.get_by_role("button", name="Take back").click()
    await expect(remote.box).to_have_value("a thought")
    await expect(page.locator("#queue li")).to_have_count(0)


async def test_a_first_message_can_be_sent_again_if_the_browser_gave_up(visitor: Visitor) -> None:
    page = visitor.page
    given_up: list[Route] = []

    async def give_up(route: Route) -> None:
        if given_up:
            await route.continue_()
        else:
            given_up.append(route)
            await route.fulfill(status=204)  # the page stays, as after the browser's Stop

    await page.route("**/messages/", give_up)
    await visitor.box.fill("/echo hello")
    async with page.expect_response("**/messages/"):
        await visitor.box.press("Enter")
    await page.context.set_offline(True)
    await page.context.set_offline(False)
    await expect(page.locator("#offline")).to_be_hidden()
    await expect(page.locator("#notice")).to_be_empty()
    await visitor.box.press("Enter")

    await visitor.until(lambda text: text.strip() == "hello")


async def test_no_key_leads_away_from_a_message_that_is_edited(visitor: Visitor) -> None:
    page = visitor.page
    await visitor.say("/echo one")
    await visitor.until_status("complete")
    await page.goto("/".join(page.url.split("/")[:3]))
    await visitor.say("/echo two")
    await visitor.until_status("complete")
    address = page.url
    await page.get_by_role("link", name="Edit and send again").click()
    edited = page.get_by_role("textbox", name="Your message, to be changed")
    await edited.fill("much better")
    await edited.press("Alt+ArrowDown")
    await edited.press("Alt+ArrowUp")
    await page.wait_for_timeout(300)

    assert page.url == address
    await expect(edited).to_have_value("much better")


async def test_reasoning_that_was_unfolded_stays_so_when_its_reply_is_rated(
    visitor: Visitor,
) -> None:
    await visitor.say("/reason 20 /tokens 20")
    await visitor.until_status("complete")
    await visitor.reply.get_by_text("Reasoning").first.click()
    await visitor.page.get_by_role("button", name="Good reply").click()

    rated = visitor.page.locator('[aria-pressed="true"]', has_text="")
    await expect(rated.first).to_be_visible()
    await expect(visitor.reply.locator("details.reasoning")).to_have_attribute("open", "")


async def test_on_a_low_screen_everything_can_be_reached(visitor: Visitor) -> None:
    page = visitor.page
    await visitor.say("/tokens 400 /pace 20")
    for text in ("one", "two", "three", "four"):
        await visitor.box.fill(text)
        await page.get_by_role("button", name="Queue", exact=True).click()
        await expect(visitor.box).to_have_value("")
    await visitor.box.fill("a long text\n" * 20)
    for width, height in ((740, 360), (390, 380)):
        await page.set_viewport_size({"width": width, "height": height})
        for name in ("Queue", "Stop"):
            box = await page.get_by_role("button", name=name, exact=True).bounding_box()
            assert box is not None and box["y"] + box["height"] <= height, (name, box)

    await (
        page.get_by_role("button", name="Conversation menu")
        .or_(page.locator("[popovertarget=menu]"))
        .first.click()
    )
    last = page.locator(".menu button, .menu a").last
    await last.scroll_into_view_if_needed()
    await expect(last).to_be_in_viewport()
