"""A page that streams, and one with a thousand messages → what a person feels of either."""

import time
import urllib.request
from dataclasses import dataclass
from statistics import median

from playwright.sync_api import Browser

from tests.bench.browser import Answered, address, answered, opened
from tests.bench.orders import Order
from tests.bench.servers import Running

MESSAGES = 1000
RATE = 200
TOKENS = 1600
OPENINGS = 20
_KEYS = "what one types while it streams"


@dataclass(frozen=True, slots=True)
class Smoothness:
    """The same answer in an empty conversation and below `MESSAGES`; times in milliseconds.

    `interaction_ms` is the longest from a key or click to the next paint while it streams.
    """

    empty: Answered
    long: Answered
    interactions: int
    interaction_ms: float
    opening_ms: float

    @property
    def growth(self) -> float:
        """CPU time a token below a long conversation by that in an empty one."""
        return self.long.cost["ThreadTime"] / self.empty.cost["ThreadTime"]


def smoothness(
    browser: Browser, server: Running, model_port: int, clients: tuple[int, int]
) -> Smoothness:
    """`clients` are the numbers of one with an empty and one with a long conversation."""
    long = clients[1]
    opening_ms = _opening_ms(server, long)
    answers = [
        answered(browser, server, model_port, client, Order(90 + client, TOKENS, RATE))
        for client in clients
    ]
    durations = _interactions(browser, server, long)
    return Smoothness(
        *answers,
        interactions=len(_KEYS) + 3,
        # Nothing is reported of what takes less than 16 ms.
        interaction_ms=max(durations, default=16.0),
        opening_ms=opening_ms,
    )


def _opening_ms(server: Running, client: int) -> float:
    """Median time of the server to answer with the page."""
    request = urllib.request.Request(
        address(server, client), headers={"Cookie": server.doors[client].cookie}
    )
    times = []
    for _ in range(OPENINGS):
        began = time.perf_counter()
        urllib.request.urlopen(request).read()
        times.append((time.perf_counter() - began) * 1000)
    return median(times)


def _interactions(browser: Browser, server: Running, client: int) -> list[float]:
    """Types, opens the menu and stops, all while a reply streams; the durations in ms."""
    order = Order(99, 100 * RATE, RATE)
    with opened(browser, server, client) as (page, _):
        box = page.get_by_label("Message", exact=True)
        box.fill(order.text())
        page.get_by_role("button", name="Send").click()
        page.wait_for_selector("article[data-status=streaming]")
        page.wait_for_timeout(3000)
        page.evaluate("notes.interactionMs.length = 0")
        box.press_sequentially(_KEYS, delay=60)
        page.get_by_role("button", name="This conversation").click()
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Stop", exact=True).click()
        page.wait_for_selector("#tail article[data-status=stopped]")
        page.wait_for_timeout(500)
        return list(map(float, page.evaluate("notes.interactionMs")))
