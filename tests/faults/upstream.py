"""The truthful model: an order in a prompt → its answer's tokens on schedule, all written down.

It speaks the OpenAI protocol over HTTP/1.1 in the tests' own process.
"""

import asyncio
import json
from collections import defaultdict
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, cast

from tests.bench.orders import Order, order_in
from tests.faults.truth import Answer, answer_to

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


@dataclass(slots=True)
class Call:
    """One request. Times are those of CLOCK_MONOTONIC; `closed_at` if it was closed midway."""

    order: Order
    asked_at: float
    sent_at: list[float] = field(default_factory=list)
    ended_at: float | None = None
    closed_at: float | None = None

    @property
    def answer(self) -> Answer:
        return answer_to(self.order)

    @property
    def is_open(self) -> bool:
        return self.ended_at is None and self.closed_at is None


class Upstream:
    """`calls[stream]` are the requests with the order of that number, in the order they came."""

    def __init__(self) -> None:
        self.calls: defaultdict[int, list[Call]] = defaultdict(list)
        self.connections: set[_Connection] = set()

    async def __aenter__(self) -> "Upstream":
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _Connection(self), "127.0.0.1", 0, backlog=1024
        )
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *exception: object) -> None:
        self._server.close()
        for connection in list(self.connections):
            connection.abort()
        await asyncio.sleep(0)

    def call(self, order: Order) -> Call:
        """The last request with this order."""
        return self.calls[order.stream][-1]

    def open_calls(self) -> int:
        return sum(call.is_open for calls in self.calls.values() for call in calls)

    def repeated_calls(self) -> int:
        """Requests beyond the first with an order."""
        return sum(max(0, len(calls) - 1) for calls in self.calls.values())


class _Connection(asyncio.Protocol):
    """One connection of the server's, which asks one thing at a time."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._buffer = b""
        self._call: Call | None = None
        self._sending: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._upstream.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._upstream.connections.discard(self)
        if self._call is not None and self._call.is_open:
            self._call.closed_at = monotonic()
        if self._sending is not None:
            self._sending.cancel()

    def abort(self) -> None:
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, is_whole, body = self._buffer.partition(b"\r\n\r\n")
        if not is_whole:
            return
        size = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        if len(body) < size:
            return
        self._buffer = body[size:]
        order = order_in(body[:size])
        assert order is not None, body
        self._call = Call(order, monotonic())
        self._upstream.calls[order.stream].append(self._call)
        self._sending = asyncio.create_task(self._send(self._call))

    async def _send(self, call: Call) -> None:
        """A token is written down before it is written out: it counts as sent, come what may."""
        loop, order = asyncio.get_running_loop(), call.order
        self._transport.write(_HEAD)
        begin = loop.time() + order.wait_ms / 1000
        for number, token in enumerate(call.answer.tokens):
            due = begin + number / order.rate if order.rate else begin
            if (wait_s := due - loop.time()) > 0:
                await asyncio.sleep(wait_s)
            call.sent_at.append(monotonic())
            self._transport.write(_event({"content": token}))
        call.ended_at = monotonic()
        self._transport.write(_event({}, "stop") + _chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n")


def _event(delta: dict[str, str], finish: str | None = None) -> bytes:
    chunk: dict[str, Any] = {
        "id": "chatcmpl-0",
        "object": "chat.completion.chunk",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }
    return _chunk(b"data: " + json.dumps(chunk, ensure_ascii=False).encode() + b"\n\n")


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)
