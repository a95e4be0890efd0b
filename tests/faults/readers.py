"""A person's tab over the wire: what they ask, what their page shows, and whether it is true."""

import asyncio
import contextlib
from bisect import bisect_left
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from itertools import count, pairwise
from typing import Any
from uuid import uuid4

from tests.bench.orders import Order, order_in
from tests.bench.sockets import Door
from tests.dom import Page
from tests.faults.connections import Connection, connect
from tests.faults.rows import LIVE
from tests.faults.truth import KIND, answer_to, shown_text
from tests.faults.upstream import Call

WAIT_S = 30.0
_RECONNECT_PAUSE_S = 0.05
_streams = count(1)


def new_order(tokens: int, rate: int = 20, wait_ms: int = 100) -> Order:
    """An order that was never given before."""
    return Order(next(_streams), tokens, rate, wait_ms, KIND)


@dataclass(slots=True)
class Seen:
    """One reply as the page has shown it; `growth` is when its text became how long."""

    order: Order
    growth: list[tuple[float, int]] = field(default_factory=list)
    ended: tuple[str, str] | None = None


class Reader:
    """One tab. `wrong` tells of every state of the page that was not true: text that is no
    beginning of the answer, and an end after which something still changed.

    A reader survives its connections, as a page does: `open` connects anew with the page as it is.
    """

    def __init__(self, door: Door) -> None:
        self.page = Page()
        self.wrong: list[str] = []
        self.seen: dict[str, Seen] = {}
        self.arrivals: list[float] = []
        self.connection: Connection | None = None
        self._door = door
        self.after = ""
        self._changed = asyncio.Event()

    async def open(self) -> None:
        told = f"&shown={shown}" if (shown := self.page.shown) else ""
        door = replace(self._door, path=self._door.path + self.after + told)
        self.connection = await connect(door, self.take)

    async def reopen(self, limit_s: float = WAIT_S) -> None:
        """Opens as soon as there is a server."""
        async with asyncio.timeout(limit_s):
            while True:
                with contextlib.suppress(OSError):
                    return await self.open()
                await asyncio.sleep(_RECONNECT_PAUSE_S)

    def turn_page(self) -> None:
        """Loads the page anew: what has ended came by HTTP, and the socket tells what follows."""
        articles = self.page.articles
        live = [article.attributes["data-status"] in LIVE for article in articles]
        settled = live.index(True) if True in live else len(articles)
        self.page = Page()
        for place, shown in ("history", articles[:settled]), ("tail", articles[settled:]):
            element = self.page.root.by_id(place)
            assert element is not None
            for article in shown:
                element.append(article)
        if settled:
            self.after = articles[settled - 1].attributes["id"].removeprefix("message-")

    def go_to(self, port: int) -> None:
        """The next connection is to the server on `port`."""
        self._door = replace(self._door, port=port)

    def drop(self) -> None:
        assert self.connection is not None
        self.connection.drop()

    def send(self, **values: Any) -> None:
        assert self.connection is not None
        self.connection.send(values | {"headers": {"HX-Request": "true"}})

    def ask(self, order: Order, key: str = "") -> None:
        key = key or str(uuid4())
        self.send(action="send", text=order.text(), key=key, endpoint=self._door.endpoint)

    def stop(self) -> None:
        self.send(action="stop", message=self.reply_id)

    def retry(self) -> None:
        self.send(action="retry", message=self.reply_id)

    async def until(self, holds: Callable[[], object], timeout_s: float = WAIT_S) -> None:
        """Waits for the page, on this connection or a later one. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            while not holds():
                self._changed.clear()
                await self._changed.wait()

    async def until_ended(self, order: Order, timeout_s: float = WAIT_S) -> str:
        """The status in which the page shows the answer to `order` as finished."""
        await self.until(lambda: self.status_of(order) is not None, timeout_s)
        return self.status_of(order) or ""

    async def until_text(self, order: Order, timeout_s: float = WAIT_S) -> None:
        """Waits until the page shows something of the answer to `order`."""
        await self.until(lambda: any(s.growth for s in self._seen_of(order)), timeout_s)

    async def until_asked(self, order: Order, timeout_s: float = WAIT_S) -> None:
        """Waits until the page shows that the message is stored and a reply is due."""
        await self.until(lambda: list(self._seen_of(order)), timeout_s)

    async def until_free(self) -> None:
        """Waits until the page lets its person send."""
        await self.until(lambda: self.page.buttons == ["Send"])

    @property
    def form_key(self) -> str:
        """Another one with every message that the server has taken from this tab."""
        key = self.page.root.by_id("key")
        return key.attributes["value"] if key else ""

    @property
    def can_retry(self) -> bool:
        return "Retry" in [button.text for button in self.page.reply.all("button")]

    @property
    def reply_id(self) -> str:
        """The last reply's; empty if there is none."""
        return self.page.reply.attributes["id"].removeprefix("message-")

    def status_of(self, order: Order) -> str | None:
        """The final status of the last reply to `order`, None while there is none."""
        return next((s.ended[0] for s in reversed(list(self._seen_of(order))) if s.ended), None)

    def shown_of(self, order: Order) -> str:
        """What the page showed of the last reply to `order` when that had ended."""
        return next(s.ended[1] for s in reversed(list(self._seen_of(order))) if s.ended)

    def delays(self, call: Call) -> list[float]:
        """For each token sent, how many seconds later the page showed it."""
        found = []
        for seen in self._seen_of(call.order):
            lengths = [length for _, length in seen.growth]
            for number, sent_at in enumerate(call.sent_at, 1):
                at = bisect_left(lengths, len(call.answer.shown(number).rstrip()))
                if at < len(lengths):
                    found.append(seen.growth[at][0] - sent_at)
        return found

    def gaps(self, since: float, until: float) -> list[float]:
        """Seconds from each frame to the next, of those between the two moments."""
        times = [since, *(at for at in self.arrivals if since < at < until), until]
        return [later - earlier for earlier, later in pairwise(times)]

    def _seen_of(self, order: Order) -> Iterable[Seen]:
        return (seen for seen in self.seen.values() if seen.order == order)

    def take(self, at: float, frame: str) -> None:
        self.page.apply(frame)
        self.page.frames.clear()  # hours of them would fill the memory
        self.arrivals.append(at)
        if self.reply_id:
            self._look(at)
        self._changed.set()

    def _look(self, at: float) -> None:
        """Compares the page with the truth."""
        seen = self.seen.get(self.reply_id)
        if seen is None:
            order = order_in(self.page.prompts[-1].encode())
            assert order is not None, self.page.prompts
            seen = self.seen[self.reply_id] = Seen(order)
        text, status = shown_text(self.page), self.page.status
        if not answer_to(seen.order).visible.startswith(text):
            self.wrong.append(f"no beginning of the answer to {seen.order}: {text[-60:]!r}")
        if not seen.growth or len(text) > seen.growth[-1][1]:
            seen.growth.append((at, len(text)))
        if seen.ended is not None and seen.ended != (status, text):
            self.wrong.append(
                f"{seen.ended[0]} with {len(seen.ended[1])} characters, "
                f"then {status} with {len(text)}"
            )
        if status not in LIVE:
            seen.ended = status, text
