"""A process that is killed while others show its replies → they say so, and people go on there."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field
from random import Random
from time import monotonic

from tests.bench.orders import Order
from tests.faults.figures import Figure, timing
from tests.faults.readers import Reader, new_order
from tests.faults.setups import SETUPS, stage_in, under
from tests.faults.stage import Stage
from tests.faults.truth import answer_to

_READERS = 8  # a kill
_TOKENS, _RATE = 160, 20
_LATEST_S = 3.0
_NOTICED_LIMIT_S = 40.0


@dataclass(slots=True)
class _Outcome:
    noticed_s: list[float] = field(default_factory=list)
    lost_s: list[float] = field(default_factory=list)
    untrue: int = 0
    without_retry: int = 0
    not_retried: int = 0


async def owner(count: int, setups: Collection[str] = tuple(SETUPS)) -> list[Figure]:
    """`count` kills in every setup, each of a process whose eight replies are read elsewhere."""
    measured = await asyncio.gather(*(_owner(setup, count) for setup in setups))
    return [
        f for setup, figures in zip(setups, measured, strict=True) for f in under(setup, figures)
    ]


async def _owner(setup: str, count: int) -> list[Figure]:
    outcome = _Outcome()
    async with stage_in(setup, count * _READERS) as on:
        for number in range(count):
            clients = range(number * _READERS, (number + 1) * _READERS)
            await _kill(on, clients, Random(number).uniform(0, _LATEST_S), outcome)
            await on.server.restart()
        return [
            Figure("viewers", len(outcome.noticed_s)),
            timing("shown as interrupted after, ms", max(outcome.noticed_s), 20_000),
            Figure("without Retry", outcome.without_retry, 0),
            Figure("texts that were not sent", outcome.untrue, 0),
            timing("text lost, ms", max(outcome.lost_s), 1000),
            Figure("not completed by Retry", outcome.not_retried, 0),
            *on.order(),
        ]


async def _kill(on: Stage, clients: range, after_s: float, outcome: _Outcome) -> None:
    viewers: dict[Order, Reader] = {}
    for client in clients:
        asker, viewer = on.reader(client), on.reader(client, on.servers[1].port)
        order = new_order(_TOKENS, _RATE)
        viewers[order] = viewer
        await asker.open()
        await viewer.open()
        asker.ask(order)
    for order, viewer in viewers.items():
        await viewer.until_text(order)
    await asyncio.sleep(after_s)
    killed_at = monotonic()
    on.server.kill()
    await asyncio.gather(*(_see(on, o, v, killed_at, outcome) for o, v in viewers.items()))


async def _see(
    on: Stage, order: Order, viewer: Reader, killed_at: float, outcome: _Outcome
) -> None:
    """One viewer from the kill to the answer that Retry brings."""
    status = await viewer.until_ended(order, _NOTICED_LIMIT_S)
    outcome.noticed_s.append(monotonic() - killed_at)
    await viewer.until_free()
    outcome.without_retry += status != "interrupted" or not viewer.can_retry
    reply = await asyncio.to_thread(on.rows.reply_to, order)
    tokens = reply.answer.tokens_in(reply.text)
    shown = viewer.shown_of(order).rstrip()
    outcome.untrue += tokens is None or shown != reply.answer.shown(tokens).rstrip()
    sent_at = [at for at in on.upstream.call(order).sent_at if at < killed_at]
    missing = sent_at[tokens or 0 :]
    outcome.lost_s.append(killed_at - missing[0] if missing else 0.0)
    interrupted = viewer.reply_id
    viewer.retry()
    await viewer.until(lambda: viewer.reply_id != interrupted and viewer.page.status == "complete")
    outcome.not_retried += viewer.shown_of(order) != answer_to(order).visible
