"""A running reply's log → Redis, for readers in other processes, and back.

A reply is one string of JSON lines, one for each entry of its log, so the same entries always
make the same bytes: a position in it stays true even after Redis has lost it and got it anew.
"""

import asyncio
import json
import time
from collections.abc import Iterable
from dataclasses import dataclass

from chatapp.events import Delta
from chatapp.generation.background import begin
from chatapp.generation.log import PARTS
from chatapp.generation.redis_client import client, log_trouble, trouble
from chatapp.generation.source import Source

FLUSH_S = 0.03
_PAUSE_S = 1.0
# Of one that hangs; meanwhile readers look into the database, and nobody waits for it again.
_READ_S, _SILENCE_S = 0.5, 2.5
_KEPT_S = 3600

# Appends only to what is known to be there: otherwise a string that was lost, or an append of
# which nobody knows whether it happened, would leave text out or repeat it.
_APPEND = f"""
if redis.call('STRLEN', KEYS[1]) ~= tonumber(ARGV[1]) then return 0 end
redis.call('APPEND', KEYS[1], ARGV[2])
redis.call('EXPIRE', KEYS[1], {_KEPT_S})
return 1
"""


@dataclass(slots=True)
class _Sent:
    """How much of a log Redis has, as far as we know."""

    entries: int = 0
    size: int = 0


_sent: dict[str, _Sent] = {}
_due: dict[str, Source] = {}
_silent_until = 0.0
_flusher: asyncio.Task[None] | None = None


def share(source: Source) -> None:
    """Has what the log gained written soon; returns at once. Nothing without Redis."""
    global _flusher
    if client() is None:
        return
    _due[source.run] = source
    if _flusher is None or _flusher.done():
        _flusher = begin(_flush())


def forget(source: Source) -> None:
    """The reply is in the database; readers find the rest there."""
    _due.pop(source.run, None)
    _sent.pop(source.run, None)


async def read(run: str, position: int) -> tuple[list[tuple[str, str]], int] | None:
    """(part, text) of each entry from byte `position` on, and the position behind them.

    None while Redis cannot be asked.
    """
    global _silent_until
    redis = client()
    if redis is None or time.monotonic() < _silent_until:
        return None
    try:
        async with asyncio.timeout(_READ_S):
            data = await redis.getrange(_key(run), position, -1)
    except trouble() as error:
        _silent_until = time.monotonic() + _SILENCE_S
        log_trouble(error)
        return None
    assert isinstance(data, bytes), "the client is told not to decode"
    entries = [json.loads(line) for line in data.splitlines()]
    return [(part, text) for part, text in entries], position + len(data)


async def _flush() -> None:
    while _due:
        batch = list(_due.values())
        _due.clear()
        try:
            await _write(batch)
        except trouble() as error:
            log_trouble(error)
            for source in batch:
                if source.run in _sent:
                    _due.setdefault(source.run, source)
            await asyncio.sleep(_PAUSE_S)
        await asyncio.sleep(FLUSH_S)


async def _write(batch: list[Source]) -> None:
    redis = client()
    if redis is None:
        return
    ends = [len(source.log.entries) for source in batch]
    pipe = redis.pipeline(transaction=False)
    fresh: list[bytes] = []
    for source, end in zip(batch, ends, strict=True):
        sent = _sent.setdefault(source.run, _Sent())
        fresh.append(_encode(source.log.entries[sent.entries : end]))
        pipe.eval(_APPEND, 1, _key(source.run), sent.size, fresh[-1])
    for source, end, data, fits in zip(batch, ends, fresh, await pipe.execute(), strict=True):
        if source.run not in _sent:
            continue  # forgotten meanwhile
        sent = _sent[source.run]
        if fits:
            sent.size += len(data)
        else:
            whole = _encode(source.log.entries[:end])
            await redis.set(_key(source.run), whole, ex=_KEPT_S)
            sent.size = len(whole)
        sent.entries = end


def _encode(entries: Iterable[Delta]) -> bytes:
    # ASCII, so that no character of the text can look like the end of a line.
    return b"".join(
        json.dumps([PARTS[type(delta)], delta.text]).encode() + b"\n" for delta in entries
    )


def _key(run: str) -> str:
    return f"chatapp:reply:{run}"
