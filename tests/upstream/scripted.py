"""An upstream that does exactly what a test says, over a real loopback connection."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from chatapp.upstream.contract import Target
from tests.upstream.replay import Received, chunk, read_request

Script = Callable[["Peer"], Awaitable[None]]

EVENTS = "text/event-stream"
TOKEN = b'data: {"choices":[{"delta":{"content":"tok "}}]}\n\n'
DONE = b"data: [DONE]\n\n"


class Peer:
    """One request's connection, seen from the upstream."""

    def __init__(
        self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.number = number
        self.request = Received("", {}, b"")
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def respond(self, status: int, body: bytes = b"", headers: str = "") -> None:
        """A whole response; `headers` is lines that end with CRLF."""
        length = f"Content-Length: {len(body)}\r\n"
        await self.send(f"HTTP/1.1 {status} Words\r\n{headers}{length}\r\n".encode() + body)

    async def begin(self, content_type: str = EVENTS) -> None:
        """The head of a 200 whose body comes in chunks."""
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nTransfer-Encoding: chunked\r\n"
        await self.send(head.encode() + b"\r\n")

    async def chunk(self, data: bytes) -> None:
        await self.send(chunk(data))

    async def until_closed(self) -> None:
        """Waits until the client has gone."""
        try:
            while await self.reader.read(65536):
                pass
        except ConnectionError:
            pass


class Upstream:
    """A running upstream: `requests` counts what it was asked, `open` the connections now."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self.requests = 0
        self.connections = 0
        self.open = 0
        self.all_closed = asyncio.Event()
        self._writers: set[asyncio.StreamWriter] = set()

    def target(self, **settings: object) -> Target:
        settings = {"protocol": "openai", "url": f"http://127.0.0.1:{self.port}"} | settings
        return Target(**settings)  # type: ignore[arg-type]

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=1024)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self._server.close()
        await self._server.wait_closed()

    def close_all(self) -> None:
        """Breaks every connection."""
        for writer in self._writers:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open += 1
        self._writers.add(writer)
        self.all_closed.clear()
        try:
            while True:
                peer = Peer(self.requests, reader, writer)
                peer.request = await read_request(reader)
                self.requests += 1
                await self._script(peer)
                if writer.is_closing():
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            self.open -= 1
            self._writers.discard(writer)
            if not self.open:
                self.all_closed.set()


@asynccontextmanager
async def upstream(script: Script) -> AsyncIterator[Upstream]:
    """A running upstream for the length of a test."""
    server = Upstream(script)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


def answering(body: bytes, content_type: str = EVENTS) -> Script:
    """A script that sends `body` as one chunk and ends it properly."""

    async def script(peer: Peer) -> None:
        await peer.begin(content_type)
        if body:
            await peer.chunk(body)
        await peer.chunk(b"")

    return script
