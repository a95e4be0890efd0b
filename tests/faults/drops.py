"""Readers that lose their connections while they read → nothing lost, nothing doubled."""

import asyncio
from collections.abc import Iterator
from random import Random

from tests.bench.orders import Order
from tests.faults.figures import Figure
from tests.faults.readers import Reader, new_order
from tests.faults.stage import Stage, stage
from tests.faults.truth import answer_to

_CLIENTS = 60
_TOKENS, _RATE = 60, 20
_PAUSE_S = 0.3  # from one drop of a reader to the next, on average


async def drops(count: int) -> list[Figure]:
    """`count` abrupt drops over 60 clients while their replies stream."""
    async with stage(_CLIENTS) as on:
        turns = iter(range(count))
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_read(on, reader, turns)) for reader in on.readers()]
        pages = {order: page for task in tasks for order, page in task.result().items()}
        return [
            Figure("drops", count),
            Figure("replies that streamed meanwhile", len(pages)),
            Figure(
                "pages that differ from what was sent",
                sum(page != answer_to(order).visible for order, page in pages.items()),
                0,
            ),
            Figure("calls beyond one each", on.upstream.repeated_calls(), 0),
            *on.truth(list(pages)),
        ]


async def _read(on: Stage, reader: Reader, turns: Iterator[int]) -> dict[Order, str]:
    """Asks and drops until it is nobody's turn any more; what the page showed of each answer.

    Most pages are loaded anew after an answer, so that they have a history to go on from.
    """
    pages: dict[Order, str] = {}
    await reader.open()
    is_turn = True
    while is_turn:
        order = new_order(_TOKENS, _RATE)
        reader.ask(order)
        await reader.until_asked(order)
        is_turn = await _drop_while_it_streams(on, reader, order, turns)
        await reader.until_ended(order)
        await reader.until_free()
        pages[order] = reader.shown_of(order)
        if order.stream % 4:
            reader.turn_page()
            reader.drop()
            await reader.open()
    return pages


async def _drop_while_it_streams(
    on: Stage, reader: Reader, order: Order, turns: Iterator[int]
) -> bool:
    """False when all turns were taken."""
    choose = Random(order.stream)
    while True:
        await asyncio.sleep(choose.uniform(0, 2 * _PAUSE_S))
        calls = on.upstream.calls[order.stream]
        if calls and not calls[-1].is_open:
            return True
        if next(turns, None) is None:
            return False
        reader.drop()
        await reader.open()
