"""A target tried out with a short prompt in → what happens, as it happens: status, pieces, outcome.

It asks as every question does, over a connection of its own, but never a second time after a
failure. What is told of the upstream's words is without the key.
"""

import asyncio
import codecs
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import TypeAlias, cast

import httpx2

from chatapp.errors import Problem
from chatapp.events import (
    Closing,
    Completed,
    Event,
    Failed,
    ReasoningDelta,
    RefusalDelta,
    RequestSent,
    TextDelta,
    Truncated,
    Usage,
)
from chatapp.text import tokens_in
from chatapp.upstream.contract import Prompt, Target
from chatapp.upstream.http import new_client, stream
from chatapp.upstream.problems import clean, phrase_of
from chatapp.upstream.redaction import KeyRemover, without_key
from chatapp.upstream.retries import NO_FAILURES
from chatapp.upstream.text import well_formed
from chatapp.upstream.transport import AiohttpTransport

MOST_PIECES = 300
MOST_CHARS = 4000
MOST_PIECE_CHARS = 1000


@dataclass(frozen=True, slots=True)
class Asked:
    """A request goes out; `attempt` counts from 1. All times are milliseconds since the first."""

    at_ms: float
    attempt: int


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer begins."""

    at_ms: float
    status: str
    content_type: str


@dataclass(frozen=True, slots=True)
class Piece:
    """What one network read brought: its size in bytes, and its text, cut if it is long."""

    at_ms: float
    size: int
    text: str


@dataclass(frozen=True, slots=True)
class FirstToken:
    at_ms: float


@dataclass(frozen=True, slots=True)
class Ended:
    """The last fact. Without `closing` the trial itself ended it: enough was seen.

    The speed is that of the upstream's count of tokens, else of an estimate from the text.
    """

    at_ms: float
    closing: Closing | None
    text: str
    first_ms: float | None
    tokens_a_second: float | None
    is_estimate: bool

    @property
    def finish(self) -> str:
        return self.closing.finish or "" if isinstance(self.closing, Completed) else ""

    @property
    def problem(self) -> Problem | None:
        return self.closing.problem if isinstance(self.closing, Failed | Truncated) else None


Fact: TypeAlias = Asked | Answered | Piece | FirstToken | Ended


async def try_out(target: Target, prompt: Prompt) -> AsyncGenerator[Fact, None]:
    """The facts in order, ending with `Ended`. Leaving early closes the upstream connection."""
    facts: asyncio.Queue[Fact | None] = asyncio.Queue()
    trial = asyncio.create_task(_Trial(target, facts.put_nowait).run(prompt))
    trial.add_done_callback(lambda _: facts.put_nowait(None))
    try:
        while (fact := await facts.get()) is not None:
            yield fact
        trial.result()
    finally:
        trial.cancel()
        with suppress(asyncio.CancelledError):
            await trial


class _Trial:
    """One call, watched from both sides: its events, and the wire under them."""

    def __init__(self, target: Target, tell: Callable[[Fact], None]) -> None:
        self._target = target
        self._tell = tell
        self._began_s = 0.0
        self._first_ms: float | None = None
        self._last_ms = 0.0
        self._text = ""
        self._usage: Usage | None = None
        self._closing: Closing | None = None
        self._pieces = 0

    async def run(self, prompt: Prompt) -> None:
        async with new_client(_Tap(self._answered, self._piece_teller)) as client:
            self._began_s = time.monotonic()
            batches = stream(self._target, prompt, client=client, retries=NO_FAILURES)
            async with aclosing(batches):
                async for events in batches:
                    for event in events:
                        self._note(event)
                    if len(self._text) >= MOST_CHARS or self._pieces >= MOST_PIECES:
                        break
        self._tell(self._ended())

    def _now_ms(self) -> float:
        return (time.monotonic() - self._began_s) * 1000

    def _note(self, event: Event) -> None:
        match event:
            case RequestSent(attempt):
                self._tell(Asked(self._now_ms(), attempt))
            case TextDelta(text) | ReasoningDelta(text) | RefusalDelta(text):
                self._last_ms = self._now_ms()
                if self._first_ms is None:
                    self._first_ms = self._last_ms
                    self._tell(FirstToken(self._first_ms))
                self._text += text
            case Usage():
                self._usage = event
            case Completed() | Truncated() | Failed():
                self._closing = event

    def _answered(self, response: httpx2.Response) -> None:
        status = phrase_of(response.status_code)
        content_type = clean(response.headers.get("content-type", ""), self._target.api_key)
        self._tell(Answered(self._now_ms(), status, content_type[:100]))

    def _piece_teller(self) -> "_PieceTeller":
        return _PieceTeller(self._target.api_key, self._piece)

    def _piece(self, size: int, text: str) -> None:
        self._pieces += 1
        if self._pieces <= MOST_PIECES:
            self._tell(Piece(self._now_ms(), size, _shortened(text)))

    def _ended(self) -> Ended:
        counted = self._usage.output if self._usage else None
        tokens = counted or tokens_in(self._text)
        seconds = (self._last_ms - (self._first_ms or 0.0)) / 1000
        rate = (tokens - 1) / seconds if tokens > 1 and seconds > 0 else None
        text = without_key(self._text, self._target.api_key)[:MOST_CHARS]
        return Ended(self._now_ms(), self._closing, text, self._first_ms, rate, not counted)


class _PieceTeller:
    """The bytes of one body → their text, without the key, and with what is cut put together."""

    def __init__(self, key: str, tell: Callable[[int, str], None]) -> None:
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._remover = KeyRemover(key)
        self._tell = tell

    def feed(self, data: bytes) -> None:
        self._tell(len(data), well_formed(self._remover.feed(self._decode(data))))

    def close(self) -> None:
        if rest := self._remover.feed(self._decode(b"", True)) + self._remover.close():
            self._tell(0, well_formed(rest))


class _Tap(httpx2.AsyncBaseTransport):
    """The transport of every call, with somebody who watches what comes back."""

    def __init__(
        self,
        answered: Callable[[httpx2.Response], None],
        piece_teller: Callable[[], _PieceTeller],
    ) -> None:
        self._transport = AiohttpTransport()
        self._answered = answered
        self._piece_teller = piece_teller

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await self._transport.handle_async_request(request)
        self._answered(response)
        body = cast(httpx2.AsyncByteStream, response.stream)
        response.stream = _TappedBody(body, self._piece_teller())
        return response

    async def aclose(self) -> None:
        await self._transport.aclose()


class _TappedBody(httpx2.AsyncByteStream):
    def __init__(self, body: httpx2.AsyncByteStream, teller: _PieceTeller) -> None:
        self._body = body
        self._teller = teller

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for data in self._body:
                self._teller.feed(data)
                yield data
        finally:
            self._teller.close()

    async def aclose(self) -> None:
        await self._body.aclose()


def _shortened(text: str) -> str:
    return text if len(text) <= MOST_PIECE_CHARS else text[: MOST_PIECE_CHARS - 1] + "…"
