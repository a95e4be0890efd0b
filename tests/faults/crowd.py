"""Readers with steady streams → how long their tokens take, in calm times and in bad ones."""

import asyncio
from collections.abc import Sequence

from tests.faults.figures import Figure, percentile, timing
from tests.faults.readers import Reader, new_order
from tests.faults.stage import Stage

_RATE = 20


async def delays(on: Stage, readers: Sequence[Reader], seconds: float) -> list[float]:
    """Every reader gets an answer that takes `seconds`; the delay of each of its tokens."""
    orders = [new_order(int(seconds * _RATE), _RATE) for _ in readers]
    for reader, order in zip(readers, orders, strict=True):
        reader.ask(order)
    await asyncio.gather(
        *(
            reader.until_ended(order, seconds + 30)
            for reader, order in zip(readers, orders, strict=True)
        )
    )
    return [
        delay
        for reader, order in zip(readers, orders, strict=True)
        for delay in reader.delays(on.upstream.call(order))
    ]


def compared(
    calm: list[float], bad: list[float], bar_ms: float, gross_ms: float = 1000
) -> list[Figure]:
    before, during = percentile(calm, 99), percentile(bad, 99)
    return [
        timing("others' token delay before, p99 ms", before),
        timing("others' token delay meanwhile, p99 ms", during),
        timing("  longer by, ms", max(0.0, during - before), bar_ms, gross_ms),
    ]
