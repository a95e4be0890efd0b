"""Answers that end as they begin → no page calls one ended before it shows all of it."""

import asyncio
from collections.abc import Iterator

from tests.faults.figures import Figure
from tests.faults.readers import Reader, new_order
from tests.faults.stage import stage

_CLIENTS = 10


async def endings(count: int) -> list[Figure]:
    """`count` answers of four tokens, the last of which come with the end."""
    async with stage(_CLIENTS) as on:
        readers = on.readers()
        turns = iter(range(count))
        for reader in readers:
            await reader.open()
        await asyncio.gather(*(_ask_often(reader, turns) for reader in readers))
        return [Figure("answers", count), *on.order()]


async def _ask_often(reader: Reader, turns: Iterator[int]) -> None:
    for _ in turns:
        order = new_order(4, rate=100, wait_ms=20)
        reader.ask(order)
        await reader.until_ended(order)
        await reader.until_free()
