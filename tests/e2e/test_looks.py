"""What a designer would see: one edge, one size, nothing that moves or is missing."""

from playwright.async_api import Locator, expect

from tests.e2e.conftest import Visitor
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
