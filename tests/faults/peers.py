"""A connection → a peer that reads slowly or never, and whether the server still holds on to it."""

import asyncio
import contextlib
import os
import socket
from pathlib import Path
from time import monotonic

from tests.bench.sockets import Door
from tests.faults.connections import Connection, connect, ignore

_ESTABLISHED = "01"
# What a network would have. On loopback a segment is so large that the kernel itself would buffer
# megabytes for each peer before the server could notice anything.
_SEGMENT_BYTES = 1400
_RECEIVE_BUFFER_BYTES = 4096


class SlowPeer:
    """Reads so many bytes a second once its socket is open, and answers no ping."""

    def __init__(self, door: Door, bytes_a_second: int) -> None:
        self.held_s: float | None = None
        self._door = door
        self._bytes_a_second = bytes_a_second

    async def open(self) -> None:
        self._connection = await connect(self._door, ignore, sock=_small_socket())
        self._connection.transport.pause_reading()
        self._opened_at = monotonic()

    async def stay(self, seconds: float) -> None:
        """Reads for so long; `held_s` is then how soon it was dropped, None if it was not."""
        while monotonic() - self._opened_at < seconds:
            await asyncio.sleep(1)
            if not is_held(self._door.port, self._connection):
                self.held_s = monotonic() - self._opened_at
                return
            self._read()

    def leave(self) -> None:
        self._connection.drop()

    def _read(self) -> None:
        if self._bytes_a_second:
            file = self._connection.transport.get_extra_info("socket").fileno()
            with contextlib.suppress(OSError):
                os.read(file, self._bytes_a_second)


def is_held(port: int, connection: Connection) -> bool:
    """Whether the server on `port` has not ended its side of the connection."""
    sides = (line.split()[1:4] for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
    return [f"0100007F:{port:04X}", f"0100007F:{connection.local_port:04X}", _ESTABLISHED] in sides


def _small_socket() -> socket.socket:
    small = socket.socket()
    small.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_BYTES)
    small.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, _SEGMENT_BYTES)
    return small
