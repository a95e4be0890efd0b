"""PostgreSQL that goes away in the midst of streams → they go on and are stored when it is back."""

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic

import psycopg

from tests.bench.orders import Order
from tests.faults.figures import Figure, percentile, timing
from tests.faults.readers import Reader, new_order
from tests.faults.setups import stage_on, under
from tests.faults.stage import Stage
from tests.faults.truth import answer_to
from tests.stores import Postgres

_POOL = 12  # DATABASE_POOL's default
_RATE = 20
_LEAD_S = 2.0
_AWAY_S = 2.0
_PAUSE_S = 5.0
_STREAM_S = 10.0
_END_LIMIT_S = 60.0
_OTHERS = "SELECT count(*) FROM pg_stat_activity WHERE client_port > 0 AND pid <> pg_backend_pid()"

Fault = Callable[[Postgres], Awaitable[None]]


async def postgres_away(streams: int) -> list[Figure]:
    """A restart, a crash and five seconds of standing still, each during so many streams on two
    processes; half of them end while the database is away."""
    faults: dict[str, Fault] = {"restart": _restart, "kill": _crash, "pause": _stand_still}
    postgres, figures = Postgres(), []
    async with stage_on([postgres], streams) as on:
        ports = [server.port for server in on.servers]
        readers = [on.reader(client, ports[client % 2]) for client in range(streams)]
        viewers = [on.reader(client, ports[1 - client % 2]) for client in range(streams)]
        for reader in readers + viewers:
            await reader.open()
        for name, fault in faults.items():
            figures += under(name, await _go_through(on, postgres, fault, readers, viewers))
        sockets = [reader.connection for reader in readers + viewers]
        lost = sum(connection is None or connection.lost.done() for connection in sockets)
        return [*figures, Figure("sockets closed", lost, 0), *on.order()]


async def _go_through(
    on: Stage, postgres: Postgres, fault: Fault, readers: list[Reader], viewers: list[Reader]
) -> list[Figure]:
    lengths = _LEAD_S + 1, _STREAM_S
    orders = [new_order(int(lengths[n % 4 // 2] * _RATE), _RATE) for n in range(len(readers))]
    for reader, order in zip(readers, orders, strict=True):
        reader.ask(order)
    for reader, order in zip(readers, orders, strict=True):
        await reader.until_text(order)
    await asyncio.sleep(_LEAD_S)
    away_at = monotonic()
    await fault(postgres)
    back_at = monotonic()
    gaps = _gaps(on, readers, orders, away_at, back_at)
    statuses = [
        await reader.until_ended(order, _END_LIMIT_S)
        for reader, order in zip(readers + viewers, orders * 2, strict=True)
    ]
    held = await asyncio.to_thread(_connections, postgres)
    replies = {reply.order: reply.text for reply in on.rows.replies()}
    failed = [order for order, status in zip(orders, statuses, strict=False) if status == "error"]
    return [
        timing("away for, ms", back_at - away_at),
        timing("from a frame to the next here, p99 ms", percentile(gaps, 99), 250),
        Figure("of a hundred failed", 100 * len(failed) / len(orders), 2),
        Figure("not complete", len(statuses) - statuses.count("complete"), len(orders) // 50),
        Figure("rows unlike the answer", sum(_is_unlike(replies, order) for order in orders), 0),
        Figure("connections afterwards", held, _POOL * len(on.servers)),
    ]


def _gaps(
    on: Stage, readers: list[Reader], orders: list[Order], since: float, until: float
) -> list[float]:
    ends = [min(until, on.upstream.call(order).sent_at[-1]) for order in orders]
    return [
        gap for reader, end in zip(readers, ends, strict=True) for gap in reader.gaps(since, end)
    ]


def _is_unlike(replies: dict[Order, str], order: Order) -> bool:
    return replies.get(order) != answer_to(order).text()


async def _restart(postgres: Postgres) -> None:
    await asyncio.to_thread(postgres.stop)
    await asyncio.sleep(_AWAY_S)
    await asyncio.to_thread(postgres.start)


async def _crash(postgres: Postgres) -> None:
    await asyncio.to_thread(postgres.kill)
    await asyncio.sleep(_AWAY_S)
    await asyncio.to_thread(postgres.start)


async def _stand_still(postgres: Postgres) -> None:
    await asyncio.to_thread(postgres.pause)
    await asyncio.sleep(_PAUSE_S)
    await asyncio.to_thread(postgres.resume)


def _connections(postgres: Postgres) -> int:
    with psycopg.connect(postgres.url) as connection:
        row = connection.execute(_OTHERS).fetchone()
    return int(row[0]) if row else 0
