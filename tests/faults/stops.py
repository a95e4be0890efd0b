"""Stop at any moment → the model sees it, and the reply ends once."""

import asyncio
from collections.abc import Iterator
from random import Random
from time import monotonic

from tests.bench.orders import Order
from tests.faults.figures import Figure, percentile, timing
from tests.faults.readers import Reader, new_order
from tests.faults.stage import Stage, stage

_CLIENTS = 25
_TOKENS, _RATE, _WAIT_MS = 30, 30, 300
_LONGEST_S = _WAIT_MS / 1000 + _TOKENS / _RATE + 0.05
_AFTERWARDS_S = 0.4


async def stops(count: int) -> list[Figure]:
    """Stop pressed at `count` moments: before the first token, on the last, between, twice."""
    async with stage(_CLIENTS) as on:
        readers = on.readers()
        for reader in readers:
            await reader.open()
        numbers = iter(range(count))
        asked: dict[Order, Reader] = {}
        closings: list[float] = []
        async with asyncio.TaskGroup() as group:
            for reader in readers:
                group.create_task(_stop_often(on, reader, numbers, asked, closings))
        return _figures(on, asked, closings)


async def _stop_often(
    on: Stage,
    reader: Reader,
    numbers: Iterator[int],
    asked: dict[Order, Reader],
    closings: list[float],
) -> None:
    for number in numbers:
        order = new_order(_TOKENS, _RATE, _WAIT_MS)
        asked[order] = reader
        pressed_at = await _stop(on, reader, order, number)
        for call in on.upstream.calls[order.stream]:
            over_at = call.closed_at or call.ended_at or monotonic()
            if over_at > pressed_at:
                closings.append(over_at - pressed_at)


async def _stop(on: Stage, reader: Reader, order: Order, number: int) -> float:
    """One reply, stopped; returns when Stop was pressed."""
    choose = Random(number)
    reader.ask(order)
    await reader.until_asked(order)
    moments = [0.0, choose.uniform(0, _LONGEST_S), _LONGEST_S - choose.uniform(0, 0.1)]
    await asyncio.sleep(moments[number % 3])
    pressed_at = monotonic()
    reader.stop()
    if number % 2:
        reader.stop()
    await reader.until_ended(order)
    await asyncio.sleep(_AFTERWARDS_S)
    return pressed_at


def _figures(on: Stage, asked: dict[Order, Reader], closings: list[float]) -> list[Figure]:
    replies = on.rows.replies()
    untrue = differing = 0
    for reply in replies:
        tokens = reply.answer.tokens_in(reply.text)
        sent = len(on.upstream.call(reply.order).sent_at) if tokens else 0
        untrue += tokens is None or tokens > sent
        untrue += reply.status == "complete" and reply.text != reply.answer.text()
        shown = asked[reply.order].shown_of(reply.order)
        differing += shown.rstrip() != reply.answer.shown(tokens).rstrip()
    statuses = [reply.status for reply in replies]
    return [
        Figure("stops", len(asked)),
        Figure("stopped", statuses.count("stopped")),
        Figure("complete before that", statuses.count("complete")),
        Figure("anything else", sum(s not in ("stopped", "complete") for s in statuses), 0),
        Figure("replies beyond one each", len(replies) - len(asked), 0),
        Figure("texts that were not sent", untrue, 0),
        Figure("pages that differ from their rows", differing, 0),
        Figure("calls still open", on.upstream.open_calls(), 0),
        timing("the call was over after, p50 ms", percentile(closings, 50)),
        timing("the call was over after, p95 ms", percentile(closings, 95), 300),
        timing("the call was over after, max ms", max(closings, default=0), 1000),
        *on.order(),
    ]
