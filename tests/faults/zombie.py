"""A process that stands still until it is taken for dead, and then goes on → it writes nothing."""

import asyncio
from collections.abc import Collection, Sequence
from time import monotonic
from typing import Any

import psycopg

from tests.bench.orders import Order
from tests.faults.figures import Figure, timing
from tests.faults.readers import Reader, new_order
from tests.faults.setups import stage_in, under
from tests.faults.stage import Stage
from tests.faults.truth import shown_text

_READERS = 8
_RATE = 20
_AFTERWARDS_S = 5.0
_SETTLED_S = 0.5
_IN_TRANSACTION = "PostgreSQL"
_HELD = """
    SELECT 1 FROM pg_stat_activity
    WHERE state = 'idle in transaction' AND query LIKE 'UPDATE "chatapp_message"%'
"""
_SENT_S = 0.05  # what was on its way to PostgreSQL has been done by then
_ELSEWHERE_S = 0.011
_FOUND_LIMIT_S = 60.0


async def zombie(
    seconds: int, setups: Collection[str] = ("PostgreSQL", "PostgreSQL+Redis")
) -> list[Figure]:
    """An owner that stands still for so long, beside another process: without Redis in the midst of
    a transaction, with Redis anywhere."""
    measured = await asyncio.gather(*(_zombie(setup, seconds) for setup in setups))
    return [
        f for setup, figures in zip(setups, measured, strict=True) for f in under(setup, figures)
    ]


async def _zombie(setup: str, seconds: int) -> list[Figure]:
    async with stage_in(setup, _READERS) as on:
        orders = [new_order((seconds + 20) * _RATE, _RATE) for _ in range(_READERS)]
        askers = on.readers()
        viewers = [on.reader(client, on.servers[1].port) for client in range(_READERS)]
        for asker, viewer, order in zip(askers, viewers, orders, strict=True):
            await asker.open()
            await viewer.open()
            asker.ask(order)
        for viewer, order in zip(viewers, orders, strict=True):
            await viewer.until_text(order)
        await asyncio.sleep(1)
        await (_pause_in_transaction(on) if setup == _IN_TRANSACTION else _pause(on))
        paused_at = monotonic()
        noticed = await asyncio.gather(
            *(_go_on(viewer, order) for viewer, order in zip(viewers, orders, strict=True))
        )
        await asyncio.sleep(max(0.0, paused_at + seconds - monotonic()))
        before = await asyncio.to_thread(on.rows.whole)
        resumed_at = monotonic()
        on.server.resume()
        await asyncio.sleep(_AFTERWARDS_S)
        after = await asyncio.to_thread(on.rows.whole)
        closed = [on.upstream.calls[order.stream][0].closed_at for order in orders]
        return [
            Figure("seconds suspended", seconds),
            timing("shown as interrupted after, ms", max(noticed) - paused_at, 20_000),
            Figure("rows that it wrote afterwards", _changes(before, after), 0),
            Figure("calls that it kept", closed.count(None), 0),
            timing("it let go of them after, ms", max(c or 0 for c in closed) - resumed_at, 3000),
            Figure("its pages unlike the others", await _differing(askers, viewers), 0),
            Figure("calls beyond Retry's", on.upstream.repeated_calls() - _READERS, 0),
            *on.order(),
        ]


async def _pause(on: Stage) -> None:
    on.server.pause()


async def _pause_in_transaction(on: Stage) -> None:
    """Where it does most harm: it has locked the rows of its replies."""
    connect = psycopg.AsyncConnection.connect
    async with await connect(on.installation.database, autocommit=True) as watch:
        async with asyncio.timeout(_FOUND_LIMIT_S):
            while True:
                on.server.pause()
                await asyncio.sleep(_SENT_S)
                if await (await watch.execute(_HELD)).fetchone():
                    return
                on.server.resume()
                await asyncio.sleep(_ELSEWHERE_S)


async def _go_on(viewer: Reader, order: Order) -> float:
    """When the viewer saw that the reply was interrupted; it is retried then, and stopped."""
    await viewer.until_ended(order, 60)
    noticed_at = monotonic()
    interrupted = viewer.reply_id
    await viewer.until_free()
    viewer.retry()
    await viewer.until(lambda: viewer.reply_id != interrupted and viewer.page.part("text"))
    viewer.stop()
    await viewer.until_free()
    return noticed_at


def _changes(before: list[tuple[Any, ...]], after: list[tuple[Any, ...]]) -> int:
    """Rows that came, went or are not what they were."""
    return sum(row not in after for row in before) + sum(row not in before for row in after)


async def _differing(askers: Sequence[Reader], viewers: Sequence[Reader]) -> int:
    """Pages of the process that was suspended, connected anew if it dropped them, beside those of
    the other one."""
    for asker in askers:
        if asker.connection is None or asker.connection.lost.done():
            await asker.reopen()
    await asyncio.sleep(_SETTLED_S)
    return sum(
        (asker.reply_id, asker.page.status, shown_text(asker.page))
        != (viewer.reply_id, viewer.page.status, shown_text(viewer.page))
        for asker, viewer in zip(askers, viewers, strict=True)
    )
