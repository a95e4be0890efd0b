"""Redis that dies, stalls and forgets in the midst of streams → nobody else notices for long."""

import asyncio
from collections.abc import Sequence
from time import monotonic

from redis.asyncio import Redis as Client

from tests.faults.figures import Figure, percentile, timing
from tests.faults.readers import Reader, new_order
from tests.faults.setups import SETUPS, stage_on, under
from tests.stores import Redis

_CLIENTS = 10
_RATE = 20
_LEAD_S = 2.0
_AWAY_S = 1.5
_CALM_S = 3.5
_PAUSE_S = 5.0
_STALL_LIMIT_S = 3.0


async def redis_away(
    count: int, setups: Sequence[str] = ("SQLite+Redis", "PostgreSQL+Redis")
) -> list[Figure]:
    """`count` crashes from which Redis comes back empty, then five seconds of CLIENT PAUSE and
    three times FLUSHALL, while ten replies stream and are read on two processes."""
    figures = []
    for setup in setups:
        figures += under(setup, await _redis_away(setup, count))
    return figures


async def _redis_away(setup: str, count: int) -> list[Figure]:
    stores = [kind() for kind in SETUPS[setup]]
    redis = next(store for store in stores if isinstance(store, Redis))
    async with stage_on(stores, _CLIENTS) as on:
        ports = [server.port for server in on.servers]
        here = [on.reader(client, ports[client % 2]) for client in range(_CLIENTS)]
        there = [on.reader(client, ports[1 - client % 2]) for client in range(_CLIENTS)]
        seconds = _LEAD_S + count * (_AWAY_S + _CALM_S + 1) + _PAUSE_S + 2 * _CALM_S
        orders = [new_order(int(seconds * _RATE), _RATE) for _ in range(_CLIENTS)]
        for reader in here + there:
            await reader.open()
        for reader, order in zip(here, orders, strict=True):
            reader.ask(order)
        for reader, order in zip(there, orders, strict=True):
            await reader.until_text(order)
        await asyncio.sleep(_LEAD_S)
        began = monotonic()
        back_at = [await _crash(redis) for _ in range(count)]
        back_at += [await _stall(redis), await _flush(redis)]
        over_at = monotonic()
        limit_s = seconds + 60
        statuses = [
            await reader.until_ended(order, limit_s)
            for reader, order in zip(here + there, orders * 2, strict=True)
        ]
        pages = zip(here + there, orders * 2, strict=True)
        unlike = sum(r.shown_of(o) != on.upstream.call(o).answer.visible for r, o in pages)
        *crashes, pause, flush = _stalls(there, back_at)
        gaps_here = [gap for reader in here for gap in reader.gaps(began, over_at)]
        gaps_there = [gap for reader in there for gap in reader.gaps(began, over_at)]
        sockets = [reader.connection for reader in here + there]
        return [
            Figure("crashes", count),
            timing("stall elsewhere after a crash, max ms", max(crashes), _STALL_LIMIT_S * 1000),
            timing("stall elsewhere after the pause, ms", pause, _STALL_LIMIT_S * 1000),
            timing("stall elsewhere at FLUSHALL, ms", flush, _STALL_LIMIT_S * 1000),
            timing("stall elsewhere at all, max ms", max(gaps_there)),
            timing("from a frame to the next here, p99 ms", percentile(gaps_here, 99), 250),
            Figure("not complete", len(statuses) - statuses.count("complete"), 0),
            Figure("pages unlike the answer", unlike, 0),
            Figure("sockets closed", sum(c is None or c.lost.done() for c in sockets), 0),
            *on.truth(orders),
        ]


def _stalls(there: list[Reader], back_at: list[float]) -> list[float]:
    """After each return of Redis, the longest that anybody waited for a frame in the calm time."""
    return [
        max(gap for reader in there for gap in reader.gaps(since, since + _CALM_S))
        for since in back_at
    ]


async def _crash(redis: Redis) -> float:
    """When it is back, and has been for a while."""
    await asyncio.to_thread(redis.kill)
    await asyncio.sleep(_AWAY_S)
    await asyncio.to_thread(redis.start)
    back_at = monotonic()
    await asyncio.sleep(_CALM_S)
    return back_at


async def _stall(redis: Redis) -> float:
    async with Client.from_url(redis.url) as client:
        await client.client_pause(int(_PAUSE_S * 1000))
    await asyncio.sleep(_PAUSE_S)
    back_at = monotonic()
    await asyncio.sleep(_CALM_S)
    return back_at


async def _flush(redis: Redis) -> float:
    flushed_at = monotonic()
    async with Client.from_url(redis.url) as client:
        for _ in range(3):
            await client.flushall()
            await asyncio.sleep(_CALM_S / 3)
    return flushed_at
