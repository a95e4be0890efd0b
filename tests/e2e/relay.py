"""A cable between a browser and a site, which can be pulled out and put back."""

import asyncio
from contextlib import suppress


class Relay:
    """Passes TCP connections on to a port of this machine."""

    def __init__(self, to_port: int) -> None:
        self._to_port = to_port
        self._port = 0
        self._writers: list[asyncio.StreamWriter] = []
        self._loses_answers = False
        self._lost = b""
        self._loss = asyncio.Event()
        self._lets_pages_stay = False
        self._may_open = asyncio.Event()
        self._may_open.set()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    async def start(self) -> None:
        """Listens on loopback, after `cut` on the same port again."""
        self._loses_answers = False
        self._lost = b""
        self._server = await asyncio.start_server(self._relay, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    def lose_answers(self) -> None:
        """From now on until `start` nothing comes back."""
        self._loses_answers = True

    async def until_lost(self, words: bytes) -> None:
        """Waits until `words` were among what is lost since `start`."""
        async with asyncio.timeout(30):
            while words not in self._lost:
                self._loss.clear()
                await self._loss.wait()

    def find_answers(self) -> None:
        """The end of `lose_answers` for connections that come, and those that lost nothing."""
        self._loses_answers = False

    def let_pages_stay(self) -> None:
        """From now on browsers may keep pages in memory, for Back and Forward."""
        self._lets_pages_stay = True

    def hold_sockets(self) -> None:
        """From now on until `let_sockets_open` no WebSocket's handshake is answered."""
        self._may_open.clear()

    def let_sockets_open(self) -> None:
        self._may_open.set()

    async def cut(self) -> None:
        """Drops every connection without a goodbye and refuses new ones."""
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()
        await self._server.wait_closed()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        site_reader, site_writer = await asyncio.open_connection("127.0.0.1", self._to_port)
        self._writers += [writer, site_writer]
        await asyncio.gather(
            self._copy(reader, site_writer), self._copy(site_reader, writer, is_answer=True)
        )

    async def _copy(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_answer: bool = False
    ) -> None:
        is_lost = False  # no network delivers what follows a gap
        with suppress(ConnectionError, RuntimeError):  # the latter of uvloop, once it is closed
            while data := await reader.read(65536):
                if is_answer and self._lets_pages_stay:
                    data = data.replace(b"no-store", b"no-cache")
                if data.startswith(b"HTTP/1.1 101"):
                    await self._may_open.wait()
                is_lost |= is_answer and self._loses_answers
                if is_lost:
                    self._lost += data
                    self._loss.set()
                else:
                    writer.write(data)
                    await writer.drain()
        if not is_lost:
            writer.close()
