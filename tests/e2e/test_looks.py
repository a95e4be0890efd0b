"""What a designer would see: one edge, one size, nothing that moves or is missing."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, expect

from tests.e2e.conftest import Site, Visitor, watched
from tests.e2e.test_curation import answered, menu

TABLE = """/pace max /echo | left | middle | right |
| :-- | :-: | --: |
| a | b | c |"""
CELLS = """(table) => [...table.querySelectorAll("th, td")].map((cell) => {
    const { display, fontSize, color } = getComputedStyle(cell);
    return [display, fontSize, color].join(" ");
})"""


async def edges(those: Locator) -> set[float]:
    """Where the words of each begin, from the left."""
    found = await those.evaluate_all(
        """(all) => all.map((one) => {
            const words = document.createRange();
            words.selectNodeContents(one);
            return Math.round(words.getBoundingClientRect().left);
        })"""
    )
    return set(found)


async def corners(those: Locator) -> list[tuple[int, int, int, int]]:
    """Left, top, right and bottom of each, in pixels."""
    found = await those.evaluate_all(
        """(all) => all.filter((one) => one.checkVisibility()).map((one) => {
            const { left, top, right, bottom } = one.getBoundingClientRect();
            return [left, top, right, bottom].map(Math.round);
        })"""
    )
    return [tuple(box) for box in found]


@pytest_asyncio.fixture(loop_scope="session")
async def on_a_phone(browser: Browser, site: Site) -> AsyncIterator[Visitor]:
    context = await browser.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    visitor = watched(await context.new_page())
    await visitor.page.goto(site.link)
    yield visitor
    await context.close()


async def test_a_table_looks_the_same_in_all_its_cells(visitor: Visitor) -> None:
    await answered(visitor, TABLE)

    looks = await visitor.text.locator("table").evaluate(CELLS)

    assert len(looks) == 6
    assert len(set(looks)) == 1


async def test_the_ways_of_the_menu_begin_at_one_edge(visitor: Visitor) -> None:
    await answered(visitor, "/echo one")
    await menu(visitor.page)

    ways = visitor.page.locator("#menu .ways button")

    await expect(ways).to_have_count(3)
    assert len(await edges(ways)) == 1


async def test_the_outlines_below_a_reply_begin_where_its_text_does(visitor: Visitor) -> None:
    await answered(visitor, "/echo one")

    [text] = await corners(visitor.text)
    [outline, *_] = await corners(visitor.reply.locator(".tools svg"))

    assert outline[0] == text[0]


async def test_what_a_finger_meets_most_is_large_enough(on_a_phone: Visitor) -> None:
    page = on_a_phone.page
    main = page.locator(".bar > button, .controls > .attach, .controls select, #buttons button")

    boxes = await corners(main)

    assert len(boxes) == 5
    for left, top, right, bottom in boxes:
        assert right - left >= 44
        assert bottom - top >= 44


async def test_a_lost_connection_moves_nothing_in_the_bar(
    visitor: Visitor, on_a_phone: Visitor
) -> None:
    for someone in (visitor, on_a_phone):
        await someone.page.goto(someone.page.url)
        buttons = someone.page.locator(".bar > button")
        before = await corners(buttons)

        await someone.page.locator("#offline").evaluate("(line) => line.hidden = false")

        assert await corners(buttons) == before
        await expect(someone.page.get_by_text("Connection lost")).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize("size", ["100%", "200%"])
async def test_letters_of_any_size_keep_the_controls_apart(on_a_phone: Visitor, size: str) -> None:
    page = on_a_phone.page
    await page.evaluate("(size) => document.documentElement.style.fontSize = size", size)

    [composer] = await corners(page.locator(".composer"))
    controls = await corners(page.locator(".controls > *"))

    assert len(controls) == 3
    for i, (left, _, right, bottom) in enumerate(controls):
        assert composer[0] < left < right < composer[2]
        for other in controls[i + 1 :]:
            assert right <= other[0] or bottom <= other[1]


async def test_the_ways_out_of_a_shelf_stand_in_one_line(on_a_phone: Visitor) -> None:
    page = on_a_phone.page
    await page.goto(page.url.rstrip("/") + "/conversations/")

    links = await corners(page.locator(".library > header a"))

    assert len(links) == 2
    assert links[0][1] == links[1][1]


async def test_a_mark_below_the_fold_of_the_list_makes_no_page_scroll(visitor: Visitor) -> None:
    await answered(visitor, "/echo one")

    await visitor.page.evaluate("""() => {
        const entry = document.querySelector("#listing li");
        const words = '<span class="visually-hidden">has a new answer</span>';
        for (let i = 0; i < 60; i++) {
            const copy = entry.cloneNode(true);
            copy.removeAttribute("id");
            copy.querySelector("a").innerHTML += `<span class="mark">${words}</span>`;
            entry.parentElement.append(copy);
        }
    }""")

    root = visitor.page.locator("html")
    assert await root.evaluate("root => root.scrollHeight - root.clientHeight") == 0


async def test_a_message_that_was_linked_to_is_outlined_once(visitor: Visitor) -> None:
    await answered(visitor, "/echo one")
    name = await visitor.reply.get_attribute("id")

    await visitor.page.evaluate("name => { location.hash = name; }", name)

    outlined = """(article) => [article, ...article.querySelectorAll("*")].filter((one) => {
        const { outlineStyle, outlineWidth } = getComputedStyle(one);
        return outlineStyle !== "none" && parseFloat(outlineWidth) > 0;
    }).length"""
    assert await visitor.reply.evaluate(outlined) == 1


async def test_without_scripts_no_code_offers_to_be_copied(browser: Browser, site: Site) -> None:
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(site.link)
    await page.get_by_role("button", name="Explain how a hash table works").click()
    await page.locator("figure.code").first.wait_for()

    await expect(page.locator("figure.code .copy").first).to_be_hidden()
    await context.close()


async def test_a_conversation_is_printed_whole_and_without_what_can_be_pressed(
    visitor: Visitor,
) -> None:
    await answered(visitor, "/echo one")
    await answered(visitor, "/tokens 3000 /pace max")
    await answered(visitor, f"/echo\n```\n{'long ' * 100}\n```")
    address = f"https://example.org/{'x' * 300}"
    await answered(visitor, f"/echo\n| a | b |\n|---|---|\n| {address} | {address} |\n")
    await answered(visitor, "/echo\n$$" + r"\frac{a}{b} + " * 60 + "c$$\n")
    page = visitor.page
    text = await page.locator("[data-scroller]").evaluate("one => one.scrollHeight")

    await page.emulate_media(media="print", color_scheme="dark")

    root = page.locator("html")
    assert await root.evaluate("root => root.scrollHeight") > 0.8 * text
    assert (
        await page.locator("[data-scroller]").evaluate("one => one.scrollHeight - one.clientHeight")
        == 0
    )
    for part in await page.locator("[data-log] .section > *").all():
        assert await part.evaluate("one => one.checkVisibility({ contentVisibilityAuto: true })")
    for wide in (root, page.locator("figure.code pre").last):
        assert await wide.evaluate("one => one.scrollWidth - one.clientWidth") == 0
    for pressed in await page.get_by_role("button").or_(page.get_by_role("textbox")).all():
        await expect(pressed).to_be_hidden()
    await expect(page.locator("#heading")).to_be_visible()
    lightness = await page.locator("body").evaluate("one => getComputedStyle(one).color")
    assert lightness.startswith("oklch(0.25")
    assert (await page.pdf(format="A4")).count(b"/Type /Page\n") > 3


@pytest.mark.parametrize("size", [(320, 256), (740, 360), (740, 170), (1280, 256)])
async def test_a_low_window_leaves_room_for_all_of_it(
    size: tuple[int, int], visitor: Visitor
) -> None:
    page = visitor.page
    await answered(visitor, "/tokens 300 /pace max")
    await page.evaluate("document.documentElement.dataset.textSize = 'large'")
    await page.set_viewport_size({"width": size[0], "height": size[1]})

    assert await page.locator("[data-scroller]").evaluate("one => one.clientHeight") >= 100
    for control in (visitor.box, page.get_by_role("button", name="Send", exact=True)):
        await control.scroll_into_view_if_needed()
        await expect(control).to_be_in_viewport(ratio=0.99)
    if await (opener := page.get_by_role("button", name="Conversations")).is_visible():
        await opener.click()
    listing = page.locator("#sidebar .list")
    assert await listing.evaluate("one => one.clientHeight") >= 100
    await page.get_by_role("button", name="Sign out").scroll_into_view_if_needed()
    await expect(page.get_by_role("button", name="Sign out")).to_be_in_viewport(ratio=0.99)


async def test_in_a_low_window_the_welcome_is_read_from_its_top(visitor: Visitor) -> None:
    await visitor.page.set_viewport_size({"width": 640, "height": 400})
    await visitor.page.reload()

    await expect(visitor.page.get_by_role("heading", level=2)).to_be_in_viewport(ratio=1)
    await expect(visitor.page.locator("[data-jump]")).to_be_hidden()
