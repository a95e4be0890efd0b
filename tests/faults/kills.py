"""A server that is killed anywhere → what was written is kept, and the person can go on."""

import asyncio
from dataclasses import dataclass, field
from random import Random
from time import monotonic

from tests.bench.orders import Order
from tests.faults.figures import Figure, timing
from tests.faults.readers import Reader, new_order
from tests.faults.stage import Stage, stage
from tests.faults.truth import answer_to

_READERS = 8  # a kill
_KILLS_A_STAGE = 5
_TOKENS, _RATE = 40, 20
_INTERRUPTED_LIMIT_S = 30.0


@dataclass(slots=True)
class Outcome:
    """What one stage's kills came to; `lost_s` is how old the first token was that is missing."""

    lost_s: list[float] = field(default_factory=list)
    untrue: int = 0
    ended_s: float = 0.0
    undefined: int = 0
    not_retried: int = 0
    is_sound: bool = True
    wrong: int = 0
    distress: int = 0


async def kills(count: int) -> list[Figure]:
    """kill -9 at `count` random points, each in the midst of eight replies."""
    outcomes = []
    for first in range(0, count, _KILLS_A_STAGE):
        outcomes.append(await _round(min(_KILLS_A_STAGE, count - first), seed=first))
        if count > _KILLS_A_STAGE:
            print(f"  {first + _KILLS_A_STAGE} of {count}", flush=True)
    lost = [age for outcome in outcomes for age in outcome.lost_s]
    return [
        Figure("kills", count),
        Figure("replies cut off", len(lost)),
        Figure("texts that were not sent", sum(o.untrue for o in outcomes), 0),
        timing("text lost, ms", max(lost, default=0), 1000),
        timing("interrupted after the restart, ms", max(o.ended_s for o in outcomes), 20_000),
        Figure("rows neither complete nor interrupted", sum(o.undefined for o in outcomes), 0),
        Figure("replies that retry did not complete", sum(o.not_retried for o in outcomes), 0),
        Figure("databases damaged", sum(not o.is_sound for o in outcomes), 0),
        Figure("states of pages that were not true", sum(o.wrong for o in outcomes), 0),
        Figure("exceptions in servers' logs", sum(o.distress for o in outcomes), 0),
    ]


async def _round(kills: int, seed: int) -> Outcome:
    """Some kills one after another, with readers of their own, then a look at what is left."""
    choose = Random(seed)
    outcome = Outcome()
    async with stage(kills * _READERS) as on:
        readers = on.readers()
        asked: dict[Order, Reader] = {}
        killed_at: dict[Order, float] = {}
        for number in range(kills):
            group = {new_order(_TOKENS, _RATE): r for r in readers[number * _READERS :][:_READERS]}
            asked |= group
            killed_at |= dict.fromkeys(group, await _kill(on, group, choose))
        await _until_all_ended(on, outcome)
        _compare(on, killed_at, outcome)
        retried = await asyncio.gather(*(_go_on(reader, order) for order, reader in asked.items()))
        outcome.not_retried = retried.count(False)
        outcome.is_sound = on.rows.is_sound()
        outcome.wrong = sum(len(reader.wrong) for reader in readers)
        outcome.distress = on.server.distress()
    return outcome


async def _kill(on: Stage, group: dict[Order, Reader], choose: Random) -> float:
    """The moment of the kill; the server is up again on return."""
    for order, reader in group.items():
        await reader.open()
        reader.ask(order)
    await asyncio.sleep(choose.uniform(0, _TOKENS / _RATE))
    at = monotonic()
    on.server.kill()
    await on.server.restart()
    return at


async def _until_all_ended(on: Stage, outcome: Outcome) -> None:
    began = monotonic()
    while on.rows.live() and monotonic() - began < _INTERRUPTED_LIMIT_S:
        await asyncio.sleep(0.1)
    outcome.ended_s = monotonic() - began


def _compare(on: Stage, killed_at: dict[Order, float], outcome: Outcome) -> None:
    for reply in on.rows.replies():
        outcome.undefined += reply.status not in ("complete", "interrupted")
        calls = on.upstream.calls[reply.order.stream]
        sent_at = [at for at in (calls[0].sent_at if calls else []) if at < killed_at[reply.order]]
        tokens = reply.answer.tokens_in(reply.text)
        if tokens is None:
            outcome.untrue += 1
        elif reply.status == "interrupted":
            lost = tokens < len(sent_at)
            outcome.lost_s.append(killed_at[reply.order] - sent_at[tokens] if lost else 0.0)


async def _go_on(reader: Reader, order: Order) -> bool:
    """Whether the person gets the whole answer in the end: by asking again if the message was not
    stored, by Retry if it was."""
    await reader.reopen()
    await asyncio.sleep(0.5)
    if not reader.reply_id:
        reader.ask(order)
    elif reader.page.status != "complete":
        interrupted = reader.reply_id
        reader.retry()
        await reader.until(lambda: reader.reply_id != interrupted)
    await reader.until(lambda: reader.page.status == "complete")
    return reader.shown_of(order) == answer_to(order).visible
