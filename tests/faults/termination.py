"""A server that is told to stop in the midst of its replies → every one of them ended properly."""

import asyncio
import contextlib
import socket
from time import monotonic

from tests.faults.figures import Figure, timing
from tests.faults.readers import Reader, new_order
from tests.faults.rows import Reply
from tests.faults.stage import Stage, stage
from tests.faults.upstream import Call

_DRAIN_S = 3.0
_RATE = 20


async def termination(count: int) -> list[Figure]:
    """SIGTERM during `count` streams, half of which can end in time, and half a request."""
    async with stage(count, DRAIN_SECONDS=str(_DRAIN_S)) as on:
        readers = on.readers()
        orders = [new_order((40, 400)[number % 2], _RATE) for number in range(count)]
        for reader, order in zip(readers, orders, strict=True):
            await reader.open()
            reader.ask(order)
        await asyncio.gather(
            *(reader.until_text(order) for reader, order in zip(readers, orders, strict=True))
        )
        with socket.create_connection(("127.0.0.1", on.server.port)) as half_sent:
            half_sent.sendall(b"GET / HTTP/1.1\r\nHost: half")
            await asyncio.sleep(0.1)
            began = monotonic()
            on.server.terminate()
            closed = await asyncio.gather(*(_closing_s(reader, began) for reader in readers))
            code = await on.server.exit_code()
            exit_s = monotonic() - began
        codes = [reader.connection.closed_with for reader in readers if reader.connection]
        return [
            Figure("streams", count),
            *_endings(on),
            Figure("sockets not closed with 1012", sum(code != 1012 for code in codes), 0),
            timing("the last socket closed after, ms", max(closed), 100),
            timing("ended after, ms", exit_s, (_DRAIN_S + 2) * 1000),
            Figure("exit code", abs(code), 0),
            *on.order(),
        ]


async def _closing_s(reader: Reader, began: float) -> float:
    assert reader.connection is not None
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(reader.connection.lost, 30)
    return monotonic() - began


def _endings(on: Stage) -> list[Figure]:
    replies = on.rows.replies()
    calls = [on.upstream.call(reply.order) for reply in replies]
    statuses = [reply.status for reply in replies]
    whole = [reply.text == reply.answer.text() for reply in replies]
    missing = [_missing_s(reply, call) for reply, call in zip(replies, calls, strict=True)]
    return [
        Figure("complete", statuses.count("complete")),
        Figure("interrupted", statuses.count("interrupted")),
        Figure("neither", sum(s not in ("complete", "interrupted") for s in statuses), 0),
        Figure(
            "complete without the whole text",
            sum(s == "complete" and not w for s, w in zip(statuses, whole, strict=True)),
            0,
        ),
        Figure("texts that were not sent", sum(seconds is None for seconds in missing), 0),
        timing("text missing at the end, ms", max(s or 0 for s in missing), 100),
    ]


def _missing_s(reply: Reply, call: Call) -> float | None:
    """The age of the first token that the row lacks when the call was closed; None if the row
    holds anything else than a beginning of what was sent."""
    tokens = reply.answer.tokens_in(reply.text)
    if tokens is None or tokens > len(call.sent_at):
        return None
    if tokens == len(call.sent_at) or call.closed_at is None:
        return 0.0
    return call.closed_at - call.sent_at[tokens]
