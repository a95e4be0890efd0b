"""Recorded upstream responses in → the same over real HTTP/1.1 on loopback, write by write.

    python -m tests.upstream.replay [--port 0] [--pace-ms 0] [FOLDER ...]

A fixture NAME.json + NAME.bin in FOLDER/PROTOCOL/ answers every POST whose path begins with
/PROTOCOL/NAME; what follows is free, so `http://127.0.0.1:PORT/PROTOCOL/NAME` is a base URL.
"""

import argparse
import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple

FIXTURES = Path(__file__).parent / "fixtures"

# Called with the fixture's key and the number of the write that is about to go out.
Gate = Callable[[str, int], Awaitable[None]]


class Received(NamedTuple):
    """One request as it came in; header names are lower-case."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Fixture:
    """One recorded response: what it is, what is expected, and its body in writes."""

    key: str
    meta: dict[str, Any]
    writes: list[bytes]

    @classmethod
    def load(cls, path: Path) -> "Fixture":
        meta = json.loads(path.read_text(encoding="utf-8"))
        body = path.with_suffix(".bin").read_bytes()
        writes, at = [], 0
        for size in _sizes(meta["response"]["chunks"]):
            writes.append(body[at : at + size])
            at += size
        if at != len(body):
            raise ValueError(f"{path}: the writes add up to {at}, the body has {len(body)} bytes")
        return cls(f"{path.parent.name}/{path.stem}", meta, writes)

    @property
    def body(self) -> bytes:
        return b"".join(self.writes)


def load(folder: Path = FIXTURES) -> dict[str, Fixture]:
    """Every fixture of `folder` by its key, PROTOCOL/NAME."""
    fixtures = [Fixture.load(path) for path in sorted(folder.glob("*/*.json"))]
    return {fixture.key: fixture for fixture in fixtures}


class Replay:
    """The server. `gate` can hold back each write; `received` is what clients sent, by key."""

    def __init__(self, fixtures: dict[str, Fixture], pace_ms: float = 0) -> None:
        self.fixtures = fixtures
        self.pace_s = pace_ms / 1000
        self.gate: Gate | None = None
        self.received: dict[str, list[Received]] = {}

    async def start(self, port: int = 0) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self._server.close()
        await self._server.wait_closed()

    def url(self, key: str) -> str:
        return f"http://127.0.0.1:{self.port}/{key}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await read_request(reader)
            key = "/".join(request.path.lstrip("/").split("?")[0].split("/")[:2])
            self.received.setdefault(key, []).append(request)
            if key in self.fixtures:
                await self._send(writer, self.fixtures[key])
            else:
                writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _send(self, writer: asyncio.StreamWriter, fixture: Fixture) -> None:
        response = fixture.meta["response"]
        is_chunked = response["transfer"] == "chunked"
        writer.write(_head(fixture))
        for number, data in enumerate(fixture.writes):
            if self.gate is not None:
                await self.gate(fixture.key, number)
            writer.write(chunk(data) if is_chunked else data)
            await writer.drain()
            await asyncio.sleep(self.pace_s)
        # "abort": the connection goes without the closing chunk.
        if is_chunked and response["end"] == "clean":
            writer.write(chunk(b""))
        await writer.drain()


async def read_request(reader: asyncio.StreamReader) -> Received:
    """One request with a Content-Length."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in head[1:] if line)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Received(head[0].split(" ")[1], headers, body)


def chunk(data: bytes) -> bytes:
    """`data` as one HTTP chunk; without data, the closing one."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def _head(fixture: Fixture) -> bytes:
    response = fixture.meta["response"]
    lines = [f"HTTP/1.1 {response['status']} {_phrase(response['status'])}"]
    lines += [f"{name}: {value}" for name, value in response["headers"]]
    if response["transfer"] == "chunked":
        lines.append("Transfer-Encoding: chunked")
    elif response["transfer"] == "length":
        lines.append(f"Content-Length: {len(fixture.body)}")
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1")


def _phrase(status: int) -> str:
    return "Overloaded" if status == 529 else HTTPStatus(status).phrase


def _sizes(entries: Iterable[Any]) -> Iterator[int]:
    """A list of writes is made of sizes and of [size, count] pairs."""
    for entry in entries:
        size, count = entry if isinstance(entry, list) else (entry, 1)
        yield from [size] * count


async def main() -> None:
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("folders", nargs="*", type=Path, default=[FIXTURES])
    args.add_argument("--port", type=int, default=0)
    args.add_argument("--pace-ms", type=float, default=0)
    given = args.parse_args()
    fixtures = {key: item for folder in given.folders for key, item in load(folder).items()}
    server = Replay(fixtures, given.pace_ms)
    await server.start(given.port)
    print(f"{len(fixtures)} fixtures on http://127.0.0.1:{server.port}/PROTOCOL/NAME", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
