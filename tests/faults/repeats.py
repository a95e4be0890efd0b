"""The same message sent twice → stored once, asked once."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from uuid import uuid4

from tests.bench.orders import Order
from tests.faults.figures import Figure
from tests.faults.readers import Reader, new_order
from tests.faults.stage import Stage, stage

_CLIENTS = 20
_SETTLED_S = 0.3

Sender = Callable[[Stage, int, Order, str], Awaitable[None]]


async def repeats(count: int) -> list[Figure]:
    """`count` messages, each sent twice in one of four ways, on sockets of their own."""
    async with stage(_CLIENTS) as on:
        orders = [new_order(4, rate=100, wait_ms=20) for _ in range(count)]
        turns = iter(list(enumerate(orders)))
        async with asyncio.TaskGroup() as group:
            for client in range(_CLIENTS):
                group.create_task(_send_often(on, client, turns))
        await asyncio.sleep(_SETTLED_S)
        rows = Counter(on.rows.prompts())
        calls = [len(on.upstream.calls[order.stream]) for order in orders]
        return [
            Figure("messages", count),
            Figure("messages not stored once", sum(rows[o.text()] != 1 for o in orders), 0),
            Figure("messages that were not asked once", sum(calls != 1 for calls in calls), 0),
            *on.truth(orders),
        ]


async def _send_often(on: Stage, client: int, turns: Iterator[tuple[int, Order]]) -> None:
    senders: list[Sender] = [_double_click, _two_tabs, _replay, _reconnect]
    for number, order in turns:
        await senders[number % len(senders)](on, client, order, str(uuid4()))


async def _double_click(on: Stage, client: int, order: Order, key: str) -> None:
    reader = await _tab(on, client)
    reader.ask(order, key)
    reader.ask(order, key)
    await _leave(order, reader)


async def _two_tabs(on: Stage, client: int, order: Order, key: str) -> None:
    readers = await _tab(on, client), await _tab(on, client)
    for reader in readers:
        reader.ask(order, key)
    await _leave(order, *readers)


async def _replay(on: Stage, client: int, order: Order, key: str) -> None:
    """The frame comes again when its answer has ended."""
    reader = await _tab(on, client)
    reader.ask(order, key)
    await reader.until_ended(order)
    reader.ask(order, key)
    await _leave(order, reader)


async def _reconnect(on: Stage, client: int, order: Order, key: str) -> None:
    """The connection goes before the echo comes, so the page sends once more."""
    reader = await _tab(on, client)
    reader.ask(order, key)
    await asyncio.sleep(order.stream % 10 / 1000)
    reader.drop()
    await reader.open()
    reader.ask(order, key)
    await _leave(order, reader)


async def _tab(on: Stage, client: int) -> Reader:
    reader = on.reader(client)
    await reader.open()
    return reader


async def _leave(order: Order, *readers: Reader) -> None:
    for reader in readers:
        await reader.until_ended(order)
        await reader.until_free()
    await asyncio.sleep(0.05)
    for reader in readers:
        reader.drop()
