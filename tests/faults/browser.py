"""A person's tab in Chromium that loses its connection in every way a browser can → nothing lost,
nothing doubled, nothing stuck."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from random import Random
from time import monotonic

from playwright.async_api import BrowserContext, Error, expect

from tests.bench.orders import Order
from tests.e2e.relay import Relay
from tests.faults.chromium import chromium
from tests.faults.figures import Figure, percentile, timing
from tests.faults.readers import new_order
from tests.faults.stage import Stage, stage
from tests.faults.tabs import observed, tab
from tests.faults.truth import answer_to

_RATE = 20
_TOKENS = 200
_LOADED = 20  # replies that come with the page; it fetches those before
_LIMIT_S = 30.0
_DRAFT = "not to be sent yet"


async def browser(count: int) -> list[Figure]:
    """`count` drops of all kinds in the proportions that the table below gives."""
    async with stage(1) as on, _sitting(on) as person:
        for drop in _mixed(count):
            await person.read_on()
            await person.suffer(drop)
        await person.rest()
        return [*await person.figures(), *on.truth(person.orders)]


class Person:
    """Sits before a tab, `main`; the tab beside it is empty. Both are there already."""

    def __init__(self, on: Stage, relay: Relay, context: BrowserContext) -> None:
        self.orders: list[Order] = []
        self._on, self._relay, self._context = on, relay, context
        main, self._blank = context.pages
        self.main = tab(main)
        self._tabs = [self.main]
        self._choose = Random(2)
        self._drops: Counter[str] = Counter()
        self._midway = 0
        self._back_s: list[float] = []
        self._lost: list[str] = []
        self._stuck: list[str] = []
        self._differ: list[str] = []

    @property
    def address(self) -> str:
        conversation = self._on.installation.clients[0]["conversation"]
        return f"{self._relay.origin}/c/{conversation}/"

    async def sit_down(self) -> None:
        """Opens the conversation, after a page to go back to."""
        await self.main.page.bring_to_front()
        await self.main.page.goto(self._relay.origin)
        await self.main.page.goto(self.address)
        await self._until(self.main.is_connected)

    async def read_on(self) -> None:
        """A moment, after which a reply streams: the same one, or a new one."""
        await self._pause(0.9)
        if not self._on.upstream.open_calls():
            await self.rest()
            await self.ask()

    async def ask(self) -> None:
        """Types an order and sends it, every other time on a connection that is cut at once."""
        order = new_order(_TOKENS, _RATE)
        self.orders.append(order)
        await self.main.box.fill(order.text())
        await self.main.box.press("Enter")
        if len(self.orders) % 2 == 0:
            await self._suffer(self.cut)
        await self._until_asked(order)
        await self._until(lambda: order.stream in self._on.upstream.calls)
        await self.main.box.fill(_DRAFT)

    async def suffer(self, drop: "Drop") -> None:
        """One drop, after which the page must be connected, with the draft in its box."""
        self._midway += bool(self._on.upstream.open_calls())
        self._drops[drop.__name__] += 1
        await self._suffer(lambda: drop(self))
        if (typed := await self.main.typed()) != _DRAFT:
            self._lost.append(f"{drop.__name__} left {typed!r} of a draft")
            await self.main.box.fill(_DRAFT)

    async def rest(self) -> None:
        """Waits for the reply to end and looks whether the page shows it, and nothing else."""
        if not self.orders:
            return
        await self._until(lambda: not self._on.upstream.open_calls())
        prompts = self.main.page.locator('article[data-role="user"]')
        articles = self.main.page.locator('article[data-role="assistant"]')
        try:
            await expect(prompts.last).to_have_text(self.orders[-1].text(), timeout=_LIMIT_S * 1000)
            await expect(articles.last).to_have_attribute("data-status", "complete")
            await expect(self.main.page.locator("#act")).to_have_text("Send")
        except AssertionError as error:
            self._stuck.append(str(error).splitlines()[0])
        self._stuck += await self.main.unrest()
        await self._compare()

    async def figures(self) -> list[Figure]:
        await self.main.page.reload()
        await self._compare()
        asked = [order.text() for order in self.orders]
        calls = [self._on.upstream.call(order) for order in self.orders]
        caught_up = [seconds for tab in self._tabs for seconds in tab.catching_up_s(calls)]
        wrong = [words for tab in self._tabs for words in tab.wrong]
        for words in [*wrong, *self._lost, *self._stuck, *self._differ][:20]:
            print(f"    {words}")
        return [
            *(Figure(f"drops: {kind}", times) for kind, times in self._drops.items()),
            Figure("drops in all", self._drops.total()),
            Figure("of them while the reply streamed", self._midway),
            Figure("pages that came out of memory", sum(tab.restored for tab in self._tabs)),
            timing("socket back after the drop, ms, p50", percentile(self._back_s, 50)),
            timing("socket back after the drop, ms, at most", max(self._back_s)),
            timing("whole text after the socket opened, ms, p50", percentile(caught_up, 50)),
            timing("whole text after the socket opened, ms, at most", max(caught_up), 1000),
            Figure("states of tabs that were not true, and complaints", len(wrong), 0),
            Figure("pages that differ from what was sent", len(self._differ), 0),
            Figure("pages that stay busy or away", len(self._stuck), 0),
            Figure("boxes that lost what was typed", len(self._lost), 0),
            Figure("prompts stored", len(asked)),
            Figure("prompts lost or doubled", self._on.rows.prompts() != asked, 0),
            Figure("calls beyond one each", self._on.upstream.repeated_calls(), 0),
        ]

    async def cut(self) -> None:
        """The connection breaks; the next one works."""
        await self._relay.cut()
        await self._relay.start()

    async def be_cut_off(self) -> None:
        """The server cannot be reached for a while."""
        await self._relay.cut()
        await self._pause(1.0)
        await self._relay.start()

    async def look_away(self) -> None:
        """The tab is hidden for a while."""
        await self._blank.bring_to_front()
        await self._pause(0.8)
        await self.main.page.bring_to_front()

    async def glance_away(self) -> None:
        """The tab is hidden and shown again before the server can answer to the goodbye."""
        await self._blank.bring_to_front()
        await self.main.page.bring_to_front()

    async def look_away_from_a_dead_line(self) -> None:
        """No goodbye is ever answered; the line works again when the tab is back."""
        self._relay.lose_answers()
        await self._blank.bring_to_front()
        await self._pause(0.3)
        self._relay.find_answers()
        await self.main.page.bring_to_front()

    async def go_back_and_forward(self) -> None:
        """The page may come out of memory, and reload itself while it is left again."""
        await self.main.page.go_back(wait_until="commit")
        await self._pause(0.5)
        for _ in range(20):
            with suppress(Error):
                await self.main.page.go_forward(wait_until="commit")
                return
            await asyncio.sleep(0.1)

    async def be_offline(self) -> None:
        """The browser knows that there is no network, and says so at once."""
        await self._context.set_offline(True)
        with suppress(Error):
            await self.main.page.locator("#offline").wait_for(timeout=1000)
        if await self.main.page.locator("#offline").is_hidden():
            self._stuck.append("no notice of being offline")
        await self._pause(0.8)
        await self._context.set_offline(False)

    async def change_networks(self) -> None:
        """As before, but the connections of the old network are gone."""
        await self._context.set_offline(True)
        await self.be_cut_off()
        await self._context.set_offline(False)

    async def reload(self) -> None:
        await self.main.page.reload(wait_until="commit")

    async def read_in_a_second_tab(self) -> None:
        """The first one is hidden meanwhile, and both show the same afterwards."""
        second = tab(await self._context.new_page())
        self._tabs.append(second)
        await second.page.goto(self.address)
        await self._until(second.is_connected)
        await self._pause(1.0)
        await second.page.close()
        await self.main.page.bring_to_front()

    async def _suffer(self, drop: Callable[[], Awaitable[None]]) -> None:
        self.main.dropped_at.append(monotonic())
        await drop()
        over_at = monotonic()
        await self._until(self.main.is_connected)
        self._back_s.append(max(0.0, self.main.opened_at[-1] - over_at))
        await expect(self.main.page.locator("#offline")).to_be_hidden(timeout=_LIMIT_S * 1000)

    async def _until_asked(self, order: Order) -> None:
        """Sends what is still in the box again, as a person would who sees it there."""
        text = order.text()
        asked = self.main.page.locator('article[data-role="user"]').get_by_text(text)
        deadline = monotonic() + _LIMIT_S
        while (typed := await self.main.typed()) or not await asked.count():
            assert monotonic() < deadline, f"{text} was neither sent nor kept"
            await asyncio.sleep(0.3)
            if typed == text == await self.main.typed():
                await self.main.box.press("Enter")

    async def _compare(self) -> None:
        shown = await self.main.replies()
        sent = [(order.text(), answer_to(order).visible) for order in self.orders]
        if len(shown) < min(len(sent), _LOADED) or shown != sent[-len(shown) :]:
            wrong = [pair for pair in shown if pair not in sent]
            self._differ.append(f"{len(shown)} replies for {len(sent)}, wrong: {wrong!r:.200}")

    async def _pause(self, most_s: float) -> None:
        await asyncio.sleep(self._choose.uniform(0, most_s))

    async def _until(self, holds: Callable[[], object]) -> None:
        async with asyncio.timeout(_LIMIT_S):
            while not holds():
                await asyncio.sleep(0.01)


Drop = Callable[[Person], Awaitable[None]]

# How many of each in a round of 40: of 200 in all, 50 hide the tab, 20 go Back, 20 are offline.
_KINDS: dict[Drop, int] = {
    Person.cut: 10,
    Person.be_cut_off: 4,
    Person.look_away: 5,
    Person.glance_away: 3,
    Person.look_away_from_a_dead_line: 2,
    Person.go_back_and_forward: 4,
    Person.be_offline: 2,
    Person.change_networks: 2,
    Person.reload: 4,
    Person.read_in_a_second_tab: 4,
}


def _mixed(count: int) -> list[Drop]:
    """So many drops, in the proportions of the table as far as that goes, in a random order."""
    kinds = [kind for kind, times in _KINDS.items() for _ in range(times)]
    rounds, rest = divmod(count, len(kinds))
    drops = kinds * rounds + [kinds[i * len(kinds) // rest] for i in range(rest)]
    Random(1).shuffle(drops)
    return drops


@asynccontextmanager
async def _sitting(on: Stage) -> AsyncIterator[Person]:
    """Signed in through a relay, the conversation open after another page."""
    relay = Relay(on.server.port)
    relay.let_pages_stay()
    await relay.start()
    try:
        async with chromium() as context:
            installation = on.installation
            session = installation.clients[0]["session"]
            await context.add_cookies(
                [{"name": installation.cookie, "value": session, "url": relay.origin}]
            )
            await observed(context)
            await context.new_page()
            person = Person(on, relay, context)
            await person.sit_down()
            yield person
    finally:
        await relay.cut()
