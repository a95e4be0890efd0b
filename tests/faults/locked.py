"""A database that somebody else has locked → tokens go on, and nothing is lost."""

import asyncio
import sys
from time import monotonic

from tests.faults.figures import Figure, percentile, timing
from tests.faults.readers import new_order
from tests.faults.rows import LIVE
from tests.faults.stage import Stage, stage

_READERS = 20
_RATE = 20
_LEAD_S = 2.0
_LOCK = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], timeout=30, isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
print(flush=True)
time.sleep(float(sys.argv[2]))
connection.execute("ROLLBACK")
"""


async def locked(seconds: int) -> list[Figure]:
    """SQLite locked for so long during 20 streams, of which half end in that time."""
    async with stage(_READERS) as on:
        readers = on.readers()
        in_time, too_long = (int((_LEAD_S + part * seconds) * _RATE) for part in (0.5, 1.5))
        orders = [new_order((in_time, too_long)[n % 2], _RATE) for n in range(_READERS)]
        for reader, order in zip(readers, orders, strict=True):
            await reader.open()
            reader.ask(order)
        for reader, order in zip(readers, orders, strict=True):
            await reader.until_text(order)
        await asyncio.sleep(_LEAD_S / 2)
        locked_at, released_at = await _lock(on, seconds)
        written_s = await _finals_written_s(on, released_at)
        statuses = [
            await reader.until_ended(order) for reader, order in zip(readers, orders, strict=True)
        ]
        gaps = [
            gap
            for reader, order in zip(readers, orders, strict=True)
            for gap in reader.gaps(locked_at, min(released_at, on.upstream.call(order).sent_at[-1]))
        ]
        return [
            Figure("seconds locked", released_at - locked_at, digits=1),
            timing("from a frame to the next, p99 ms", percentile(gaps, 99), 250, seconds * 500),
            timing("from a frame to the next, max ms", max(gaps)),
            timing("last rows written after the release, ms", written_s, 2000),
            Figure("replies not complete", len(orders) - statuses.count("complete"), 0),
            *on.truth(orders),
        ]


async def _lock(on: Stage, seconds: float) -> tuple[float, float]:
    """When another process had locked the database, and when it let go."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _LOCK,
        str(on.rows.path),
        str(seconds),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    await process.stdout.readline()
    locked_at = monotonic()
    assert await process.wait() == 0
    return locked_at, monotonic()


async def _finals_written_s(on: Stage, released_at: float) -> float:
    """How soon every reply whose answer had ended by `released_at` has its final status."""
    ended = {
        call.order
        for calls in on.upstream.calls.values()
        for call in calls
        if call.ended_at is not None and call.ended_at < released_at
    }
    async with asyncio.timeout(30):
        while any(r.status in LIVE for r in on.rows.replies() if r.order in ended):
            await asyncio.sleep(0.02)
    return monotonic() - released_at
