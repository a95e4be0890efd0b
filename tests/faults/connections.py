"""A door → a WebSocket connection that can be broken in every way a network or a peer can."""

import asyncio
import socket
from collections.abc import Callable
from typing import cast

from tests.bench.sockets import Door, Recording, Socket

OPEN_LIMIT_S = 30.0

OnFrame = Callable[[float, str], None]


def ignore(at: float, frame: str) -> None:
    """What a peer does that looks at nothing."""


class Connection(Socket):
    """Hands on every frame with the moment it came; `lost` is done when the connection is."""

    def __init__(self, door: Door, on_frame: OnFrame) -> None:
        self._seen = Recording(0)
        super().__init__(door, self._seen)
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._on_frame = on_frame

    @property
    def closed_with(self) -> int | None:
        """The code that the server closed it with; None if it did not, or not with a frame."""
        words, _, code = self._seen.status.rpartition(" ")
        return int(code) if words == "closed with" else None

    @property
    def local_port(self) -> int:
        return int(self.transport.get_extra_info("sockname")[1])

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        frames, self._seen.frames = self._seen.frames, []
        for at, payload in frames:
            self._on_frame(at, payload.decode())

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if not self.lost.done():
            self.lost.set_result(None)

    def write(self, data: bytes) -> None:
        """Any bytes at all."""
        self.transport.write(data)

    def drop(self) -> None:
        """Gone without a word."""
        self.transport.abort()


async def connect(
    door: Door, on_frame: OnFrame, *, sock: socket.socket | None = None
) -> Connection:
    """An open connection. Raises ConnectionError if the server refuses or is not there."""
    loop = asyncio.get_running_loop()
    sock = sock or socket.socket()
    sock.setblocking(False)
    try:
        async with asyncio.timeout(OPEN_LIMIT_S):
            await loop.sock_connect(sock, ("127.0.0.1", door.port))
            _, connection = await loop.create_connection(
                lambda: Connection(door, on_frame), sock=sock
            )
            await connection.opened
    except OSError:
        sock.close()
        raise
    if connection.lost.done():
        raise ConnectionError("the socket was not opened")
    return connection
