"""Frames that no page would send → refused with the right code, and nobody else notices.

Source: RFC 6455, section 5.2 for the frames, 7.4.1 for the codes.
"""

import asyncio
import contextlib
import json
from collections import Counter
from collections.abc import Iterator
from random import Random
from uuid import uuid4

from tests.bench.sockets import Door
from tests.faults.connections import Connection, connect, ignore
from tests.faults.crowd import compared, delays
from tests.faults.figures import Figure
from tests.faults.readers import new_order
from tests.faults.stage import Stage, stage

_READERS, _ATTACKERS = 10, 10
_CALM_S = 2.0
_FRAMES_A_SOCKET = 10
_ANSWER_LIMIT_S = 5.0
_FLOOD_FRAMES, _FLOOD_S = 1000, 1.0
_TOO_BIG, _TOO_MANY, _SERVER_ERROR = 1009, 4013, 1011
_TEXT, _BINARY, _CLOSE, _PING = 0x1, 0x2, 0x8, 0x9
_FINAL = 0x80

# Well-formed frames that mean nothing.
_TEXTS = [
    "",
    " ",
    "42",
    "null",
    "[]",
    "{}",
    "{",
    '"action"',
    "[" * 5000,
    '{"a":' * 5000,
    '{"action": null}',
    '{"action": {"a": 1}}',
    '{"action": "delete"}',
    '{"action": "' + "x" * 5000 + '"}',
    '{"action": "stop"}',
    '{"action": "stop", "message": 5}',
    '{"action": "stop", "message": "' + str(uuid4()) + '"}',
    '{"action": "retry", "message": ["x"]}',
    '{"action": "retry", "message": "' + str(uuid4()) + '", "endpoint": "-1"}',
    '{"action": "send"}',
    '{"action": "send", "text": 5, "key": "' + str(uuid4()) + '"}',
    '{"action": "send", "text": "hello", "key": "no key"}',
    '{"action": "send", "text": "\\ud800", "key": 7}',
    '{"action": "send", "text": "  ", "key": "' + str(uuid4()) + '"}',
    '{"action": "send", "text": "x", "key": "' + str(uuid4()) + '", "endpoint": {"a": NaN}}',
    json.dumps({"action": "send", "text": "x" * 40_000, "key": str(uuid4())}),
]


def frame(opcode: int, payload: bytes, *, flags: int = _FINAL, is_masked: bool = True) -> bytes:
    size, mask = len(payload), 0x80 if is_masked else 0
    if size < 126:
        head = bytes([flags | opcode, mask | size])
    elif size < 1 << 16:
        head = bytes([flags | opcode, mask | 126]) + size.to_bytes(2)
    else:
        head = bytes([flags | opcode, mask | 127]) + size.to_bytes(8)
    return head + (bytes(4) if is_masked else b"") + payload


# Bytes that are no frame of a client's.
_BROKEN = [
    frame(_TEXT, b"{}", is_masked=False),
    frame(_TEXT, b"\xff\xfe"),
    frame(_TEXT, b"\xed\xa0\x80"),
    frame(_TEXT, b"{}", flags=_FINAL | 0x40),
    frame(0x3, b"{}"),
    frame(0x0, b"{}"),
    frame(_TEXT, b"{", flags=0) + frame(_TEXT, b"}"),
    frame(_TEXT, b"{", flags=0),
    frame(_BINARY, b"\x00\x01"),
    frame(_PING, b"x" * 126),
    frame(_PING, b"x", flags=0),
    frame(_CLOSE, b"x"),
    frame(_CLOSE, b"\x03\xe7"),
    frame(_CLOSE, b"\x03\xe8\xff"),
    bytes([_FINAL | _TEXT, 0xFF]) + b"\xff" * 8,
    frame(_TEXT, b"x" * 100)[:50],
    b"GET / HTTP/1.1\r\n\r\n",
    b"\x00",
]
_BIG = frame(_TEXT, b'{"action": "send", "text": "' + b"x" * (1 << 20) + b'"}')
_ENDLESS = bytes([_FINAL | _TEXT, 0xFF]) + (1 << 40).to_bytes(8) + bytes(4)


async def malformed(count: int) -> list[Figure]:
    """`count` frames that no page would send, then a flood of a thousand in a second."""
    async with stage(_READERS + _ATTACKERS) as on:
        readers = on.readers()[:_READERS]
        for reader in readers:
            await reader.open()
        calm = await delays(on, readers, _CALM_S)
        closings: Counter[int | None] = Counter()
        attack = asyncio.create_task(_attack(on, count, closings))
        bad: list[float] = []
        while not attack.done():
            bad += await delays(on, readers, _CALM_S)
        flood = attack.result()
        next_order = new_order(10)
        readers[0].ask(next_order)
        return [
            Figure("frames", count),
            Figure("sockets closed with 1011", closings[_SERVER_ERROR], 0),
            Figure("flood of 1,000 frames closed with", flood or 0),
            *compared(calm, bad, 50),
            Figure(
                "not answered afterwards", await readers[0].until_ended(next_order) != "complete", 0
            ),
            Figure("rows that came of it", _strays(on), 0),
            *on.order(),
        ]


async def oversized(count: int) -> list[Figure]:
    """`count` frames of 1 MB, and as many that only announce more than there is memory for."""
    async with stage(1) as on:
        door = on.installation.door(0, on.server.port)
        codes = [
            await _send_at_once(door, [data], _ANSWER_LIMIT_S)
            for data in (_BIG, _ENDLESS)
            for _ in range(count)
        ]
        return [
            Figure("frames", len(codes)),
            Figure(
                "not answered with 1009 or 4013",
                sum(code not in (_TOO_BIG, _TOO_MANY) for code in codes),
                0,
            ),
            *on.order(),
        ]


async def _attack(on: Stage, count: int, closings: Counter[int | None]) -> int | None:
    """The code that ended the flood; None if it was borne."""
    doors = [on.installation.door(_READERS + n, on.server.port) for n in range(_ATTACKERS)]
    turns = iter(range(0, count, _FRAMES_A_SOCKET))
    await asyncio.gather(*(_send_nonsense(door, turns, closings) for door in doors))
    flood = await _flood(doors[0])
    closings[flood] += 1
    return flood


async def _send_nonsense(door: Door, turns: Iterator[int], closings: Counter[int | None]) -> None:
    for turn in turns:
        choose = Random(turn)
        frames = [
            frame(_TEXT, choose.choice(_TEXTS).encode())
            if choose.random() < 0.7
            else choose.choice(_BROKEN)
            for _ in range(_FRAMES_A_SOCKET)
        ]
        closings[await _send_at_once(door, frames, choose.uniform(0, 0.1))] += 1


async def _send_at_once(door: Door, frames: list[bytes], limit_s: float) -> int | None:
    """The code that the socket is closed with within the limit, None if it is not."""
    connection = await connect(door, ignore)
    connection.write(b"".join(frames))
    return await _closing(connection, limit_s)


async def _flood(door: Door) -> int | None:
    connection = await connect(door, ignore)
    for _ in range(_FLOOD_FRAMES):
        if connection.lost.done():
            break
        connection.send({"action": "nonsense"})
        await asyncio.sleep(_FLOOD_S / _FLOOD_FRAMES)
    return await _closing(connection, 0.5)


async def _closing(connection: Connection, limit_s: float) -> int | None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(asyncio.shield(connection.lost), limit_s)
    connection.drop()
    return connection.closed_with


def _strays(on: Stage) -> int:
    """Messages that hold no order."""
    return sum("stream=" not in text for text in on.rows.prompts())
