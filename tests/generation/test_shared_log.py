"""A log in Redis, for other processes: appended, healed, read from any position."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import UUID

import pytest

from chatapp.events import Delta, ReasoningDelta, TextDelta
from chatapp.generation import redis_client, shared_log
from chatapp.generation.log import Log
from chatapp.models import Status
from tests.stores import Redis

HARD = ["a", "\u2028", "\n", "👩‍👩‍👧", '"]\n["text", "', "\x00", " ", "{}", "ש"]


class Growing:
    """A source that grows when it is told to."""

    def __init__(self) -> None:
        self.log = Log()
        self.status = Status.STREAMING
        self.is_saved = False
        self.reply_id: UUID = uuid.uuid4()
        self.run = str(self.reply_id)

    def grow(self, *deltas: Delta) -> None:
        self.log.append(deltas)
        shared_log.share(self)


class Reader:
    """What one mirror would know."""

    def __init__(self, run: str) -> None:
        self.run = run
        self.position = 0
        self.entries: list[tuple[str, str]] = []

    async def read(self) -> bool:
        found = await shared_log.read(self.run, self.position)
        if found is not None:
            self.entries += found[0]
            self.position = found[1]
        return found is not None

    async def until(self, size: int) -> None:
        async with asyncio.timeout(30):
            while len(self.entries) < size:
                await self.read()
                await asyncio.sleep(0.01)


@pytest.fixture
def redis(settings: Any) -> Iterator[Redis]:
    with Redis() as store:
        settings.REDIS_URL = store.url
        yield store


@pytest.fixture
async def source(redis: Redis) -> AsyncIterator[Growing]:
    source = Growing()
    yield source
    shared_log.forget(source)
    await redis_client.close()


async def test_every_entry_arrives_once_and_as_it_was(source: Growing) -> None:
    reader = Reader(source.run)
    for text in HARD:
        source.grow(TextDelta(text), ReasoningDelta(text))
        await reader.until(2 * (HARD.index(text) + 1))

    assert reader.entries == [
        pair for text in HARD for pair in (("text", text), ("reasoning", text))
    ]


async def test_what_redis_forgot_is_written_anew(source: Growing) -> None:
    reader, late = Reader(source.run), Reader(source.run)
    source.grow(*map(TextDelta, "abc"))
    await reader.until(3)
    client = redis_client.client()
    assert client is not None
    await client.flushall()
    await reader.read()

    source.grow(TextDelta("d"))
    await reader.until(4)
    await late.until(4)

    assert reader.entries == late.entries == [("text", letter) for letter in "abcd"]


async def test_a_crash_of_redis_stops_nobody(source: Growing, redis: Redis) -> None:
    reader = Reader(source.run)
    source.grow(TextDelta("a"))
    await reader.until(1)

    await asyncio.to_thread(redis.kill)
    source.grow(TextDelta("b"))
    assert not await reader.read()
    await asyncio.to_thread(redis.start)
    source.grow(TextDelta("c"))
    await reader.until(3)

    assert "".join(text for _, text in reader.entries) == "abc"


async def test_an_append_that_nobody_knows_of_is_not_repeated(source: Growing) -> None:
    reader = Reader(source.run)
    source.grow(TextDelta("a"))
    await reader.until(1)
    client = redis_client.client()
    assert client is not None
    await client.append(f"chatapp:reply:{source.run}", b'["text", "b"]\n')

    source.grow(TextDelta("b"), TextDelta("c"))
    await reader.until(3)

    assert "".join(text for _, text in reader.entries) == "abc"


async def test_what_ends_while_it_is_written_is_forgotten(source: Growing, redis: Redis) -> None:
    source.grow(TextDelta("a"))
    async with asyncio.timeout(30):
        await asyncio.to_thread(redis.pause)
        while shared_log._due:
            await asyncio.sleep(0)
        shared_log.forget(source)
        await asyncio.to_thread(redis.resume)
        while shared_log._flusher is not None and not shared_log._flusher.done():
            await asyncio.sleep(0.01)

    assert source.run not in shared_log._sent


async def test_without_redis_nothing_is_shared(settings: Any) -> None:
    settings.REDIS_URL = ""
    source = Growing()
    source.grow(TextDelta("a"))

    assert await shared_log.read(source.run, 0) is None
