"""What a designer would see: one edge, one size, nothing that moves or is missing."""

from tests.e2e.conftest import Visitor
from tests.e2e.test_curation import answered

TABLE = """/pace max /echo | left | middle | right |
| :-- | :-: | --: |
| a | b | c |"""
CELLS = """(table) => [...table.querySelectorAll("th, td")].map((cell) => {
    const { display, fontSize, color } = getComputedStyle(cell);
    return [display, fontSize, color].join(" ");
})"""


async def test_a_table_looks_the_same_in_all_its_cells(visitor: Visitor) -> None:
    await answered(visitor, TABLE)

    looks = await visitor.text.locator("table").evaluate(CELLS)

    assert len(looks) == 6
    assert len(set(looks)) == 1
