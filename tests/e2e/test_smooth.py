"""What moves on a page while a reply is being written: nothing that one reads."""

import json
from typing import Any

import pytest
from playwright.async_api import Page

from tests.e2e.conftest import Visitor

MOST_SHIFT = 0.02

# A block that is rendered anew may be lower than it was; a section that was a guess, much more so.
MOST_SHRINKING_PX = 300

WATCH = """
window.shifts = [];
window.shrinking = 0;
let height = 0;
const look = () => {
  const now = document.querySelector("[data-scroller]")?.scrollHeight ?? 0;
  shrinking = Math.max(shrinking, height - now);
  height = now;
  requestAnimationFrame(look);
};
requestAnimationFrame(look);
new PerformanceObserver((list) => {
  for (const { value, hadRecentInput, sources } of list.getEntries()) {
    if (hadRecentInput) continue;
    const moved = sources.map(({ node, previousRect, currentRect }) => [
      node?.id || node?.className || node?.nodeName, previousRect.y, currentRect.y,
    ]);
    shifts.push({ value, moved });
  }
}).observe({ type: "layout-shift", buffered: true });
"""


async def shifts(page: Page) -> list[dict[str, Any]]:
    return list(await page.evaluate("shifts"))


@pytest.mark.parametrize("width", [1280, 390])
async def test_nothing_moves_while_a_long_reply_is_written(width: int, visitor: Visitor) -> None:
    page = visitor.page
    await page.set_viewport_size({"width": width, "height": 800})
    await visitor.say("/echo first")
    await visitor.until_status("complete")
    await page.add_init_script(WATCH)
    await page.reload()

    # Enough for three sections of blocks; the first token comes late enough to be waited for.
    await visitor.say("/delay 1 /tokens 3000 /pace 600")
    complete = page.locator('article[data-role="assistant"][data-status="complete"]')
    await complete.nth(1).wait_for(timeout=60_000)

    moved = await shifts(page)
    assert await page.locator("article").last.locator(".section").count() > 2
    assert await page.evaluate("shrinking") <= MOST_SHRINKING_PX
    assert sum(shift["value"] for shift in moved) <= MOST_SHIFT, json.dumps(moved, indent=1)
