"""Many calls given up at once → none is left open, and the next ones are answered."""

import asyncio
from collections.abc import Iterator
from time import monotonic

from tests.bench.orders import Order
from tests.faults.figures import Figure, timing
from tests.faults.readers import Reader, new_order
from tests.faults.stage import stage

_CLIENTS = 50
_LIMIT_S = 5.0
_NEXT = 10


async def cancels(count: int) -> list[Figure]:
    """`count` messages stopped as soon as they are stored, by 50 clients, some of whom go away."""
    async with stage(_CLIENTS) as on:
        readers = on.readers()
        for reader in readers:
            await reader.open()
        turns = iter(range(count))
        async with asyncio.TaskGroup() as group:
            for reader in readers:
                group.create_task(_cancel_often(reader, turns))
        began = monotonic()
        while on.upstream.open_calls() and monotonic() - began < _LIMIT_S:
            await asyncio.sleep(0.01)
        closed_s, left = monotonic() - began, on.upstream.open_calls()
        asked = sum(map(len, on.upstream.calls.values()))
        orders = [new_order(10, rate=50) for _ in range(_NEXT)]
        answered = await asyncio.gather(*map(_is_answered, readers, orders))
        replies = on.rows.replies()
        stopped = sum(reply.status == "stopped" for reply in replies)
        return [
            Figure("cancelled", count),
            Figure("of them after the model was asked", asked),
            Figure("replies that are not stopped", len(replies) - len(orders) - stopped, 0),
            Figure("calls left open after 5 s", left, 0),
            timing("the last was closed after, ms", closed_s, _LIMIT_S * 1000),
            Figure("of the next ten not answered", answered.count(False), 0),
            Figure("connections kept", len(on.upstream.connections), 2 * _CLIENTS),
            *on.truth(orders),
        ]


async def _cancel_often(reader: Reader, turns: Iterator[int]) -> None:
    for turn in turns:
        order = new_order(600, rate=50, wait_ms=turn % 3 * 2000)  # longer than the limit
        reader.ask(order)
        await reader.until_asked(order)
        reader.stop()
        if turn % 4 == 0:
            await asyncio.sleep(0.005)
            reader.drop()
            await reader.open()
        await reader.until_ended(order)
        await reader.until_free()


async def _is_answered(reader: Reader, order: Order) -> bool:
    reader.ask(order)
    return await reader.until_ended(order) == "complete"
