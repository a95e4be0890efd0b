"""Tabs that read slowly or not at all → neither memory nor anybody else pays for them."""

import asyncio

from tests.bench.processes import usage
from tests.faults.crowd import compared, delays
from tests.faults.figures import Figure, timing
from tests.faults.peers import SlowPeer
from tests.faults.stage import Stage, stage

_READERS = 20
_SLOW_BYTES_A_SECOND = 1024
_DROP_LIMIT_S = 30.0


async def slow_readers(seconds: int, slow: int = 50, never: int = 10) -> list[Figure]:
    """Second tabs on 20 streams: 50 that read 1 KB/s and 10 that never read, for so long."""
    async with stage(_READERS) as on:
        readers = on.readers()
        for reader in readers:
            await reader.open()
        calm = await delays(on, readers, min(15, seconds / 2))
        before = usage(on.server.pid).rss_mib
        speeds = [_SLOW_BYTES_A_SECOND] * slow + [0] * never
        peers = [
            SlowPeer(on.installation.door(n % _READERS, on.server.port), speed)
            for n, speed in enumerate(speeds)
        ]
        for peer in peers:
            await peer.open()
        async with asyncio.TaskGroup() as group:
            most = group.create_task(_most_memory(on, seconds))
            for peer in peers:
                group.create_task(peer.stay(seconds))
            bad = await delays(on, readers, seconds)
        for peer in peers:
            peer.leave()
        return [
            Figure("slow peers", slow),
            Figure("peers that never read", never),
            Figure("memory gained, MiB", most.result() - before, 30, 1, is_timing=True, gross=100),
            *compared(calm, bad, 50),
            Figure("slow peers that were dropped", sum(p.held_s is not None for p in peers[:slow])),
            *_drops(peers[slow:], seconds),
            *on.order(),
        ]


def _drops(peers: list[SlowPeer], seconds: float) -> list[Figure]:
    """Whether those that never read were dropped in time, if they were given so much."""
    held = [peer.held_s for peer in peers]
    return [
        Figure(
            "peers that never read and were not dropped",
            held.count(None),
            0 if seconds > 1.5 * _DROP_LIMIT_S else None,
        ),
        timing(
            "the last of the others dropped after, ms",
            max((h for h in held if h is not None), default=0),
            _DROP_LIMIT_S * 1000,
        ),
    ]


async def _most_memory(on: Stage, seconds: float) -> float:
    most = 0.0
    for _ in range(int(seconds)):
        await asyncio.sleep(1)
        most = max(most, usage(on.server.pid).rss_mib)
    return most
