"""The body of one 200 in → the events of each network read out, within the time limits."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import cast

import httpx2

from chatapp.events import Completed, Event, Failed, Truncated
from chatapp.upstream.contract import Decoder, Target
from chatapp.upstream.failures import break_problem, no_answer, overrun, silence
from chatapp.upstream.problems import request_id
from chatapp.upstream.watchdog import Watchdog

_SETTLE_TIMEOUT_S = 0.1


class Reading:
    """The reading of one answer. Deadlines are times of the running loop."""

    def __init__(
        self,
        response: httpx2.Response,
        decoder: Decoder,
        target: Target,
        first_byte_due: float,
        deadline: float,
    ) -> None:
        self.request_id = request_id(response.headers, target.api_key)
        self._url = response.request.url
        self._decoder = decoder
        self._target = target
        self._chunks = _body(response)
        self._has_bytes = False
        self._closing: Event | None = None
        connection = response.extensions["connection"]
        self._watchdog = Watchdog(connection, deadline, overrun(target.total_timeout_s))
        first_byte_limit_s = first_byte_due - asyncio.get_running_loop().time()
        self._watchdog.allow(first_byte_limit_s, no_answer(target.first_byte_timeout_s))

    async def read(self) -> list[Event]:
        """The events of the next network read that completes any; none after the closing one."""
        while self._closing is None:
            events = await self._next_events()
            if events:
                last = events[-1]
                if isinstance(last, Completed | Truncated | Failed):
                    self._closing = last
                return events
        if isinstance(self._closing, Completed):
            await self._settle()
        return []

    async def aclose(self) -> None:
        """Ends the reading; the response is closed by whoever opened it."""
        self._watchdog.stop()
        await self._chunks.aclose()

    async def _next_events(self) -> list[Event]:
        self._watchdog.wait_begins()
        try:
            data = await self._chunks.__anext__()
        except StopAsyncIteration:
            return self._decoder.close()
        except httpx2.RequestError as error:
            return self._decoder.close(self._watchdog.problem or break_problem(error, self._url))
        finally:
            self._watchdog.wait_ends()
        if not self._has_bytes:
            self._has_bytes = True
            limit_s = self._target.silence_timeout_s
            self._watchdog.allow(limit_s, silence(limit_s))
        return self._decoder.feed(data)

    async def _settle(self) -> None:
        """Lets the end of the body come after its end marker, so that the connection is kept."""
        with suppress(TimeoutError, httpx2.RequestError, StopAsyncIteration):
            async with asyncio.timeout(_SETTLE_TIMEOUT_S):
                await self._chunks.__anext__()


def _body(response: httpx2.Response) -> AsyncGenerator[bytes, None]:
    """What each network read brings, inflated if need be; plain bodies take the shorter way."""
    if "content-encoding" in response.headers:
        return response.aiter_bytes()
    return cast(AsyncGenerator[bytes, None], aiter(cast(httpx2.AsyncByteStream, response.stream)))
