"""An endpoint that streams given bytes, cut as given, whatever the protocol."""

import asyncio
import json
import random
from collections.abc import Callable


def random_cuts(data: bytes, seed: int) -> list[bytes]:
    """`data` cut anywhere, in code points too."""
    choose = random.Random(seed)
    pieces, at = [], 0
    while at < len(data):
        size = choose.choice((1, 2, 3, 5, 17, 150, 900))
        pieces.append(data[at : at + size])
        at += size
    return pieces


class RawModel:
    """Answers a prompt with the pieces that `answer(prompt)` gives, each a write of its own.

    With a pause after each they are not read as one either.
    """

    def __init__(
        self,
        answer: Callable[[str], list[bytes]],
        content_type: str = "application/octet-stream",
        pause_s: float = 0,
    ) -> None:
        self._answer = answer
        self._content_type = content_type
        self._pause_s = pause_s

    async def start(self) -> str:
        """Listens on loopback; returns the endpoint's URL."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/predict"

    async def stop(self) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        prompt = await _prompt(reader)
        writer.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: %b\r\n"
            b"transfer-encoding: chunked\r\nconnection: close\r\n\r\n" % self._content_type.encode()
        )
        for piece in self._answer(prompt):
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            await writer.drain()
            await asyncio.sleep(self._pause_s)
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        writer.close()


async def _prompt(reader: asyncio.StreamReader) -> str:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    size = int(head.split("content-length:")[1].split("\r\n")[0])
    body = json.loads(await reader.readexactly(size))
    return str(body["prompt"] if "prompt" in body else body["messages"][-1]["content"])
