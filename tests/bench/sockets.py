"""A WebSocket to a server → the frames it sends, each with the moment it came.

As lean as it can be, because hundreds of these share one core with the model: it keeps frames and
looks at none of them beyond the search for the end. Source: RFC 6455, section 5.2.
"""

import asyncio
import json
import struct
import time
from dataclasses import dataclass, field
from typing import Any, cast

_TEXT, _CLOSE, _PING, _PONG = 0x1, 0x8, 0x9, 0xA
_END = b'data-role="assistant" data-status="'
_UNFINISHED = (b"queued", b"streaming")


@dataclass(slots=True)
class Recording:
    """What one client sent and got; times are those of CLOCK_MONOTONIC in seconds."""

    stream: int
    sent_at: float = 0.0
    status: str = "unanswered"
    frames: list[tuple[float, bytes]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Door:
    """Where and as whom a client connects; whether the server speaks first."""

    port: int
    path: str = "/"
    cookie: str = ""
    endpoint: int | None = None
    greets: bool = False


class Socket(asyncio.Protocol):
    """One client's connection; `ended` is done when the answer has a final status."""

    def __init__(self, door: Door, recording: Recording) -> None:
        loop = asyncio.get_running_loop()
        self.opened: asyncio.Future[None] = loop.create_future()
        self.greeted: asyncio.Future[None] = loop.create_future()
        self.ended: asyncio.Future[None] = loop.create_future()
        self._door = door
        self._recording = recording
        self._buffer = b""
        self._pieces: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(_handshake(self._door))

    def connection_lost(self, exc: Exception | None) -> None:
        for event in (self.opened, self.greeted, self.ended):
            if not event.done():
                event.set_result(None)

    def send(self, message: dict[str, Any]) -> None:
        self._recording.sent_at = time.monotonic()
        self._transport.write(_frame(_TEXT, json.dumps(message).encode()))

    def close(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(_frame(_CLOSE, struct.pack("!H", 1000)))
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        now = time.monotonic()
        data = self._buffer + data if self._buffer else data
        if not self.opened.done():
            head, is_whole, data = data.partition(b"\r\n\r\n")
            if not is_whole:
                self._buffer = head
                return
            if b" 101 " not in head:
                self._recording.status = head.split(b"\r\n")[0].decode()
                self._transport.close()
                return
            self.opened.set_result(None)
        self._buffer = self._take_frames(data, now)

    def _take_frames(self, data: bytes, now: float) -> bytes:
        """Records every whole frame; returns the beginning of one that is not."""
        start, size = 0, len(data)
        while size - start >= 2:
            length, body = data[start + 1], start + 2
            if length == 126 and size >= body + 2:
                length, body = int.from_bytes(data[body : body + 2]), body + 2
            elif length == 127 and size >= body + 8:
                length, body = int.from_bytes(data[body : body + 8]), body + 8
            elif length >= 126:
                break
            if size < body + length:
                break
            self._take(data[start], data[body : body + length], now)
            start = body + length
        return data[start:]

    def _take(self, first_byte: int, payload: bytes, now: float) -> None:
        if first_byte == 0x80 | _TEXT:
            self._record(payload, now)
        elif first_byte & 0xF == _PING:
            self._transport.write(_frame(_PONG, payload))
        elif first_byte & 0xF == _CLOSE:
            self._recording.status = f"closed with {int.from_bytes(payload[:2])}"
            self._transport.close()
        else:
            self._pieces.append(payload)
            if first_byte & 0x80:
                self._record(b"".join(self._pieces), now)
                self._pieces.clear()

    def _record(self, payload: bytes, now: float) -> None:
        self._recording.frames.append((now, payload))
        if not self.greeted.done():
            self.greeted.set_result(None)
        if (at := payload.rfind(_END)) >= 0:
            status = payload[at + len(_END) :].split(b'"', 1)[0]
            if status not in _UNFINISHED and not self.ended.done():
                self._recording.status = status.decode()
                self.ended.set_result(None)


async def connect(door: Door, recording: Recording) -> Socket:
    """An open socket, or one whose recording says in `status` why it is not."""
    _, socket = await asyncio.get_running_loop().create_connection(
        lambda: Socket(door, recording), "127.0.0.1", door.port
    )
    await socket.opened
    if door.greets:
        await socket.greeted
    return socket


def _handshake(door: Door) -> bytes:
    host = f"127.0.0.1:{door.port}"
    lines = [
        f"GET {door.path} HTTP/1.1",
        f"Host: {host}",
        f"Origin: http://{host}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        f"Cookie: {door.cookie}",
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def _frame(opcode: int, payload: bytes) -> bytes:
    """A client's frame, masked with zeros: allowed, and nobody has to unmask anything."""
    size = len(payload)
    assert size < 65_536
    length = bytes([0x80 | size]) if size < 126 else struct.pack("!BH", 0xFE, size)
    return bytes([0x80 | opcode]) + length + bytes(4) + payload
