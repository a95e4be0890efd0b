"""The loopback model: an order in → its tokens on schedule, and a log of when each was sent.

It speaks the OpenAI protocol over HTTP/1.1, and plain WebSocket frames to measure the harness
itself. Everything is encoded beforehand, so that it takes little of the core it shares with the
clients. `GET /log` gives the times and forgets them; the clock is CLOCK_MONOTONIC, which all
processes share.
"""

import asyncio
import gc
import json
import sys
from base64 import b64encode
from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha1
from html import escape
from time import monotonic
from typing import Any, cast

import uvloop

from tests.bench.answers import answer
from tests.bench.orders import Order, order_in

END_OF_FRAMES = '<p data-role="assistant" data-status="complete"></p>'

_BURST = 16
_WEBSOCKET_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
    b"Transfer-Encoding: chunked\r\nx-request-id: bench\r\n\r\n"
)

_log: dict[int, dict[str, Any]] = {}


class ModelProtocol(asyncio.Protocol):
    """One connection, over HTTP until it is upgraded."""

    def __init__(self) -> None:
        self._buffer = b""
        self._is_websocket = False
        self._reply: Reply | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._reply is not None:
            self._reply.cancel()

    def pause_writing(self) -> None:
        if self._reply is not None:
            self._reply.is_paused = True

    def resume_writing(self) -> None:
        if self._reply is not None:
            self._reply.resume()

    def data_received(self, data: bytes) -> None:
        if self._is_websocket:
            # The clients' masks are zeros and their messages come in one piece.
            self._begin(data, _frames, b"")
            return
        self._buffer += data
        head, is_whole, rest = self._buffer.partition(b"\r\n\r\n")
        headers = _headers(head)
        length = int(headers.get(b"content-length", b"0"))
        if is_whole and len(rest) >= length:
            self._buffer = rest[length:]
            self._answer(head, headers, rest[:length])

    def _answer(self, head: bytes, headers: dict[bytes, bytes], body: bytes) -> None:
        if head.startswith(b"POST"):
            self._begin(body, _events, _STREAM_HEAD)
        elif b"sec-websocket-key" in headers:
            self._is_websocket = True
            self._transport.write(_switch_protocols(headers[b"sec-websocket-key"]))
        else:
            self._transport.write(_json_answer(_log))
            _log.clear()

    def _begin(self, body: bytes, encode: Any, head: bytes) -> None:
        order = order_in(body)
        if order is None:
            return
        received_at = monotonic()
        if head:
            self._transport.write(head)
        pieces = encode(order.kind, order.tokens)
        self._reply = Reply(self._transport, order, pieces)
        _log[order.stream] = {"received_at": received_at, "sent": self._reply.sent}


class Reply:
    """The tokens of one order on their way out; `sent` grows with them."""

    def __init__(self, transport: asyncio.Transport, order: Order, pieces: Sequence[bytes]) -> None:
        self.sent: list[float] = []
        self.is_paused = False
        self._transport = transport
        self._pieces = pieces
        self._loop = asyncio.get_running_loop()
        self._interval_s = 1 / order.rate if order.rate else 0.0
        self._first_at = self._loop.time() + order.wait_ms / 1000
        step = self._send_one if order.rate else self._send_burst
        self._timer: asyncio.Handle = self._loop.call_at(self._first_at, step)

    def cancel(self) -> None:
        self._timer.cancel()

    def resume(self) -> None:
        self.is_paused = False
        if not self._interval_s:
            self._timer = self._loop.call_soon(self._send_burst)

    def _send_one(self) -> None:
        sent = self.sent
        sent.append(monotonic())
        self._transport.write(self._pieces[len(sent) - 1])
        if len(sent) < len(self._pieces) - 1:
            due = self._first_at + len(sent) * self._interval_s
            self._timer = self._loop.call_at(due, self._send_one)
        else:
            self._transport.write(self._pieces[-1])

    def _send_burst(self) -> None:
        left = len(self._pieces) - len(self.sent)
        for _ in range(min(_BURST, left)):
            self._transport.write(self._pieces[len(self.sent)])
            self.sent.append(monotonic())
            if self.is_paused:
                return
        if left > _BURST:
            self._timer = self._loop.call_soon(self._send_burst)


@lru_cache(maxsize=32)
def _events(kind: str, tokens: int) -> list[bytes]:
    """Each token as a chunk of the body; last, what follows them."""
    pieces = [_event({"content": token}) for token in answer(kind, tokens)]
    pieces[0] = _event({"role": "assistant", "content": ""}) + pieces[0]
    usage = {"prompt_tokens": 12, "completion_tokens": tokens, "total_tokens": tokens + 12}
    end = _event({}, "stop") + _event(None, usage=usage) + _chunk(b"data: [DONE]\n\n")
    return [*pieces, end + b"0\r\n\r\n"]


def _event(delta: dict[str, str] | None, finish: str | None = None, **extra: Any) -> bytes:
    chunk = {
        "id": "chatcmpl-0123456789abcdef",
        "object": "chat.completion.chunk",
        "created": 1_700_000_000,
        "model": "bench",
        "choices": [],
        **extra,
    }
    if delta is not None:
        chunk["choices"] = [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]
    return _chunk(b"data: " + json.dumps(chunk, separators=(",", ":")).encode() + b"\n\n")


def _chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


@lru_cache(maxsize=32)
def _frames(kind: str, tokens: int) -> list[bytes]:
    texts = [f"<span>{escape(token)}</span>" for token in answer(kind, tokens)]
    return [_frame(text.encode()) for text in [*texts, END_OF_FRAMES]]


def _frame(payload: bytes) -> bytes:
    assert len(payload) < 126
    return bytes([0x81, len(payload)]) + payload


def _headers(head: bytes) -> dict[bytes, bytes]:
    lines = (line.partition(b":") for line in head.split(b"\r\n")[1:])
    return {name.strip().lower(): value.strip() for name, _, value in lines}


def _switch_protocols(key: bytes) -> bytes:
    accept = b64encode(sha1(key + _WEBSOCKET_GUID, usedforsecurity=False).digest())
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
    )


def _json_answer(value: Any) -> bytes:
    body = json.dumps(value).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return head.encode() + b"\r\n\r\n" + body


async def _serve(port: int) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(ModelProtocol, "127.0.0.1", port, backlog=1024)
    gc.disable()
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))
