"""Tabs of one person on two processes → the same page on both, and Stop works from either."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random
from time import monotonic

from tests.bench.orders import Order
from tests.faults.figures import Figure, percentile, timing
from tests.faults.readers import Reader, new_order
from tests.faults.setups import SETUPS, has_redis, stage_in, under
from tests.faults.stage import Stage

_STILL_ANSWERING = "The reply before is still being written."
_CLIENTS = 6
_RATE = 20
_TOKENS = 60
_HOP_S = 0.3
_CLOSED_LIMIT_S = 10.0


@dataclass(slots=True)
class _Outcome:
    here_s: list[float] = field(default_factory=list)
    there_s: list[float] = field(default_factory=list)
    stopped_s: list[float] = field(default_factory=list)
    differing: int = 0
    stops: int = 0
    stops_lost: int = 0
    sent_at_once: int = 0
    not_one_winner: int = 0
    losers_not_told: int = 0


async def elsewhere(count: int, setups: Iterable[str] = SETUPS) -> list[Figure]:
    """`count` rounds of each kind for each of six people, in every setup of two processes."""
    figures = []
    for setup in setups:
        figures += under(setup, await _elsewhere(setup, count))
    return figures


async def _elsewhere(setup: str, count: int) -> list[Figure]:
    async with stage_in(setup, _CLIENTS) as on:
        outcome = _Outcome()
        await asyncio.gather(*(_person(on, client, count, outcome) for client in range(_CLIENTS)))
        here_s, there_s, stopped_s = outcome.here_s, outcome.there_s, outcome.stopped_s
        return [
            timing("a token here, p50 ms", percentile(here_s, 50)),
            timing("a token here, p99 ms", percentile(here_s, 99)),
            timing("a token elsewhere, p50 ms", percentile(there_s, 50)),
            timing("a token elsewhere, p99 ms", percentile(there_s, 99)),
            Figure("pages unlike their rows", outcome.differing, 0),
            Figure("stops", outcome.stops),
            Figure("stops without effect", outcome.stops_lost, 0),
            timing("Stop elsewhere, p50 ms", percentile(stopped_s, 50)),
            timing(
                "Stop elsewhere, p95 ms",
                percentile(stopped_s, 95),
                300 if has_redis(setup) else None,
            ),
            timing("Stop elsewhere, max ms", max(stopped_s, default=0), 1000),
            Figure("sent on both at once", outcome.sent_at_once),
            Figure("not taken from just one", outcome.not_one_winner, 0),
            Figure("refused without a word", outcome.losers_not_told, 0),
            Figure("asked more than once", on.upstream.repeated_calls(), 0),
            *on.order(),
        ]


async def _person(on: Stage, client: int, count: int, outcome: _Outcome) -> None:
    """Reads along, hops, stops and sends at once, so often each, on tabs of two processes."""
    first, second = client % 2, 1 - client % 2
    here, there = (
        on.reader(client, on.servers[first].port),
        on.reader(client, on.servers[second].port),
    )
    await here.open()
    await there.open()
    for _ in range(count):
        await _read_along(on, here, there, outcome)
        await _hop(on, client, here, there, outcome)
        await _stop(on, here, there, outcome)
        await _send_at_once(on, here, there, outcome)


async def _read_along(on: Stage, here: Reader, there: Reader, outcome: _Outcome) -> None:
    order = new_order(_TOKENS, _RATE)
    here.ask(order)
    await _settle(on, order, outcome, here, there)
    outcome.here_s += here.delays(on.upstream.call(order))
    outcome.there_s += there.delays(on.upstream.call(order))


async def _hop(on: Stage, client: int, here: Reader, there: Reader, outcome: _Outcome) -> None:
    """A third tab changes its process all the time."""
    order = new_order(_TOKENS, _RATE)
    choose = Random(order.stream)
    hopper = on.reader(client)
    here.ask(order)
    await here.until_asked(order)
    for number in range(8):
        hopper.go_to(on.servers[number % 2].port)
        await hopper.open()
        await asyncio.sleep(choose.uniform(0, 2 * _HOP_S))
        hopper.drop()
    await hopper.open()
    await _settle(on, order, outcome, here, there, hopper)
    hopper.drop()


async def _stop(on: Stage, here: Reader, there: Reader, outcome: _Outcome) -> None:
    order = new_order(_TOKENS * 20, _RATE)  # it must not end by itself on a machine that is busy
    here.ask(order)
    await there.until_asked(order)
    await asyncio.sleep(Random(order.stream).uniform(0, _TOKENS / _RATE / 2))
    pressed_at = monotonic()
    there.stop()
    outcome.stops += 1
    status = await _settle(on, order, outcome, here, there)
    calls = on.upstream.calls[order.stream]
    while any(call.is_open for call in calls) and monotonic() - pressed_at < _CLOSED_LIMIT_S:
        await asyncio.sleep(0.01)
    outcome.stops_lost += status != "stopped" or any(call.closed_at is None for call in calls)
    outcome.stopped_s += [call.closed_at - pressed_at for call in calls if call.closed_at]


async def _send_at_once(on: Stage, here: Reader, there: Reader, outcome: _Outcome) -> None:
    """One is taken; the other is told why not, and its box keeps the text: no new key comes."""
    tabs = {here: new_order(20, _RATE), there: new_order(20, _RATE)}
    keys = {tab: tab.form_key for tab in tabs}
    for tab, order in tabs.items():
        tab.ask(order)
    for tab in tabs:
        await _until_told(tab, keys[tab])
    outcome.sent_at_once += 1
    winners = [tab for tab in tabs if tab.form_key != keys[tab]]
    losers = [tab for tab in tabs if tab.form_key == keys[tab]]
    outcome.not_one_winner += len(winners) != 1
    outcome.losers_not_told += any(_STILL_ANSWERING not in tab.page.notice for tab in losers)
    for winner in winners:
        await _settle(on, tabs[winner], outcome, here, there)
    for tab in losers:
        tab.drop()
        tab.page.apply('<hx-partial hx-target="#notice" hx-swap="innerHTML"></hx-partial>')
        await tab.open()


async def _until_told(tab: Reader, key: str) -> None:
    """Waits until the tab knows whether its message was taken."""
    await tab.until(lambda: tab.form_key != key or tab.page.notice)


async def _settle(on: Stage, order: Order, outcome: _Outcome, *tabs: Reader) -> str:
    """Waits until every tab shows the answer as ended, and compares them with its row."""
    for tab in tabs:
        await tab.until_ended(order)
        await tab.until_free()
    reply = await asyncio.to_thread(on.rows.reply_to, order)
    tokens = reply.answer.tokens_in(reply.text)
    for tab in tabs:
        is_same = tab.shown_of(order).rstrip() == reply.answer.shown(tokens).rstrip()
        outcome.differing += not is_same or tab.status_of(order) != reply.status or tokens is None
    whole = reply.status != "complete" or reply.text == reply.answer.text()
    outcome.differing += not whole
    return reply.status
