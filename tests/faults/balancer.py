"""Connections in → whichever backend is alive, byte by byte, until somebody cuts the wires."""

import asyncio
import contextlib
from collections.abc import Sequence
from itertools import count


class Balancer:
    """Takes turns among the ports in `backends`, which may change at any time."""

    def __init__(self, backends: Sequence[int]) -> None:
        self.backends = list(backends)
        self._turn = count()
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "Balancer":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=1024)
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    async def __aexit__(self, *exception: object) -> None:
        self._server.close()
        self.cut()
        await asyncio.gather(*self._tasks)

    def cut(self) -> None:
        """Breaks every connection, on both sides, without a word."""
        for writer in self._writers:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        try:
            await self._join(reader, writer)
        finally:
            writer.transport.abort()
            self._writers.discard(writer)
            self._tasks.discard(task)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        backend = await self._backend()
        if backend is None:
            return
        from_server, to_server = backend
        self._writers.add(to_server)
        try:
            await asyncio.gather(_pump(reader, to_server), _pump(from_server, writer))
        finally:
            to_server.transport.abort()
            self._writers.discard(to_server)

    async def _backend(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        backends, first = self.backends, next(self._turn)
        for port in (backends[(first + i) % len(backends)] for i in range(len(backends))):
            with contextlib.suppress(OSError):
                return await asyncio.open_connection("127.0.0.1", port)
        return None


async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while (data := await source.read(65_536)) and not target.transport.is_closing():
            target.write(data)
            await target.drain()
    if not target.transport.is_closing():
        target.close()
