"""Servers that are replaced one by one while people chat → nobody loses anything."""

import asyncio
import contextlib
from collections.abc import Sequence
from random import Random
from time import monotonic
from uuid import uuid4

from tests.bench.orders import Order
from tests.faults.balancer import Balancer
from tests.faults.figures import Figure, percentile, timing
from tests.faults.readers import Reader, new_order
from tests.faults.servers import Server
from tests.faults.setups import stage_in, under
from tests.faults.truth import answer_to

_RATE = 20
_PAGE_PAUSE_S = 0.3  # what a page waits before it connects again
_ASK_AGAIN_S = 2.0
_CALM_S = 1.0
_END_LIMIT_S = 60.0


async def restart(
    rounds: int, clients: int = 50, setups: Sequence[str] = ("PostgreSQL", "PostgreSQL+Redis")
) -> list[Figure]:
    """So many rounds in which both servers are restarted, one after the other."""
    figures = []
    for setup in setups:
        figures += under(setup, await _restart(setup, rounds, clients))
    return figures


class _Person:
    """Asks one thing after another, and comes back whenever the connection goes."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.orders: list[Order] = []
        self.away_s: list[float] = []

    async def chat(self, over: asyncio.Event) -> None:
        choose = Random(self.reader.reply_id)
        await self.reader.open()
        staying = asyncio.create_task(self._stay())
        while not over.is_set():
            order = new_order(choose.randint(10, 60), _RATE)
            self.orders.append(order)
            await self._ask(order)
            await self.reader.until_ended(order, _END_LIMIT_S)
        staying.cancel()

    async def _ask(self, order: Order) -> None:
        """Sends it again, as the same message, until the page shows that it is stored."""
        key = str(uuid4())
        while True:
            await self._until_connected()
            self.reader.ask(order, key)
            with contextlib.suppress(TimeoutError):
                return await self.reader.until_asked(order, _ASK_AGAIN_S)

    async def _until_connected(self) -> None:
        while self.reader.connection is None or self.reader.connection.transport.is_closing():
            await asyncio.sleep(0.01)

    async def _stay(self) -> None:
        while True:
            assert self.reader.connection is not None
            await asyncio.wait([self.reader.connection.lost])
            lost_at = monotonic()
            await self._come_back()
            self.away_s.append(monotonic() - lost_at)

    async def _come_back(self) -> None:
        """Returns when the page is up to date again, with the first frame."""
        frames = len(self.reader.arrivals)
        await asyncio.sleep(_PAGE_PAUSE_S)
        await self.reader.reopen()
        while len(self.reader.arrivals) == frames:
            assert self.reader.connection is not None
            if self.reader.connection.lost.done():
                await self.reader.reopen()
            await asyncio.sleep(0.005)


async def _restart(setup: str, rounds: int, clients: int) -> list[Figure]:
    async with stage_in(setup, clients) as on, Balancer([s.port for s in on.servers]) as balancer:
        people = [_Person(on.reader(client, balancer.port)) for client in range(clients)]
        over = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for person in people:
                group.create_task(person.chat(over))
            codes = [await _replace(server) for _ in range(rounds) for server in on.servers]
            over.set()
        orders = [order for person in people for order in person.orders]
        away_s = [seconds for person in people for seconds in person.away_s]
        statuses = [reply.status for reply in on.rows.replies()]
        pages = [(o, p.reader.shown_of(o)) for p in people for o in p.orders]
        return [
            Figure("restarts", len(codes)),
            Figure("that ended otherwise than with 0", sum(code != 0 for code in codes), 0),
            Figure("replies", len(orders)),
            Figure("not complete", len(statuses) - statuses.count("complete"), 0),
            Figure("stored twice", len(statuses) - len(orders), 0),
            Figure("pages unlike the answer", sum(s != answer_to(o).visible for o, s in pages), 0),
            Figure("reconnects", len(away_s)),
            timing("reconnected, p50 ms", percentile(away_s, 50)),
            timing("reconnected, p95 ms", percentile(away_s, 95), 3000),
            timing("reconnected, max ms", max(away_s)),
            *on.truth(orders),
        ]


async def _replace(server: Server) -> int:
    """The exit code of the old one."""
    await asyncio.sleep(_CALM_S)
    server.terminate()
    if code := await server.exit_code():
        print(f"A server ended with {code}:\n{server.log[-3000:]}")
    await server.start()
    return code
