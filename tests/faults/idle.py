"""Sockets on which nothing happens → kept, at little cost; those of dead peers are not."""

import asyncio

from tests.bench.processes import usage
from tests.faults.crowd import delays
from tests.faults.figures import Figure, percentile, timing
from tests.faults.peers import SlowPeer
from tests.faults.readers import Reader
from tests.faults.stage import stage

_SILENCE_LIMIT_S = 60.0
_STREAM_S = 20.0


async def idle(seconds: int, sockets: int = 500, streaming: int = 50) -> list[Figure]:
    """500 idle sockets for so long, then 50 streams beside them, and a peer that is silent."""
    async with stage(sockets + streaming) as on:
        readers = on.readers()
        busy, idlers = readers[:streaming], readers[streaming:]
        for reader in busy:
            await reader.open()
        await delays(on, busy, 2)
        await asyncio.sleep(2)
        before = usage(on.server.pid)
        for reader in idlers:
            await reader.open()
        silent = SlowPeer(on.installation.door(0, on.server.port), 0)
        await silent.open()
        await asyncio.sleep(2)
        settled = usage(on.server.pid)
        staying = asyncio.create_task(silent.stay(_SILENCE_LIMIT_S + 5))
        await asyncio.sleep(seconds)
        after = usage(on.server.pid)
        delayed = await delays(on, busy, min(_STREAM_S, seconds))
        held: list[Figure] = []
        if seconds >= _SILENCE_LIMIT_S:
            await staying
            held = _silence(silent)
        staying.cancel()
        silent.leave()
        gained_kib = (settled.rss_mib - before.rss_mib) * 1024
        percent = (after.cpu_s - settled.cpu_s) / (after.at - settled.at) * 100
        return [
            Figure("idle sockets", len(idlers)),
            Figure("sockets lost", sum(map(_is_lost, readers)), 0),
            Figure("KiB a socket", gained_kib / len(idlers), 60, 1, is_timing=True, gross=1024),
            Figure("CPU while idle, %", percent, 3, 2, is_timing=True, gross=50),
            timing("token delay of streams beside them, p99 ms", percentile(delayed, 99)),
            *held,
            *on.order(),
        ]


def _silence(silent: SlowPeer) -> list[Figure]:
    return [
        Figure("silent peers not dropped in a minute", silent.held_s is None, 0),
        timing("the silent peer dropped after, ms", silent.held_s or 0, _SILENCE_LIMIT_S * 1000),
    ]


def _is_lost(reader: Reader) -> bool:
    return reader.connection is None or reader.connection.lost.done()
