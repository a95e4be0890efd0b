"""A prompt for a target in → the events of its answer out, as they come over the network.

The only I/O of this package, with `reading.py` and `transport.py`: the client, the time limits, the
retries, the translation of what goes wrong. Redirects are not followed, the environment's proxies
are not used, cookies are not kept, and nothing the upstream sends is taken for more than text.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from http.cookiejar import CookieJar, DefaultCookiePolicy
from weakref import WeakKeyDictionary

import httpx2
from django.utils.translation import gettext as _

from chatapp.errors import InvalidInput, Kind, Problem, UpstreamError
from chatapp.events import Event, Failed, HeadersReceived, RequestSent
from chatapp.locales import carried
from chatapp.upstream.contract import Prompt, Request, Target
from chatapp.upstream.failures import connection_problem, no_answer
from chatapp.upstream.options import check_options
from chatapp.upstream.problems import problem_of_response, protocol_problem
from chatapp.upstream.protocols import ADAPTERS
from chatapp.upstream.reading import Reading
from chatapp.upstream.retries import RetryPolicy
from chatapp.upstream.transport import AiohttpTransport

MAX_ERROR_BODY_BYTES = 64 * 1024
RETRIES = RetryPolicy()

_ERROR_BODY_TIMEOUT_S = 5.0
_DECODABLE = frozenset({"", "identity", "gzip", "x-gzip", "deflate"})

# At INFO httpx2 logs URLs, and a query may hold a secret.
logging.getLogger("httpx2").setLevel(logging.WARNING)

_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, httpx2.AsyncClient] = WeakKeyDictionary()


def shared_client() -> httpx2.AsyncClient:
    """The one client of the running event loop: a client for each call would cost 25 ms."""
    loop = asyncio.get_running_loop()
    if loop not in _clients:
        _clients[loop] = new_client()
    return _clients[loop]


def new_client(transport: httpx2.AsyncBaseTransport | None = None) -> httpx2.AsyncClient:
    """A client for the running event loop; whoever made it closes it."""
    # A cookie that one person's answer set must not go out with another's question.
    no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
    return httpx2.AsyncClient(
        transport=transport or AiohttpTransport(), cookies=no_cookies, trust_env=False
    )


async def close_client() -> None:
    """Closes the running loop's client; the next call makes a new one."""
    client = _clients.pop(asyncio.get_running_loop(), None)
    if client is not None:
        await client.aclose()


async def stream(
    target: Target,
    prompt: Prompt,
    *,
    client: httpx2.AsyncClient | None = None,
    retries: RetryPolicy = RETRIES,
) -> AsyncGenerator[list[Event], None]:
    """Asks `target` and gives out what one network read brought, never an empty list.

    The last event is the closing one. Failures are events, not exceptions. Leaving the iteration
    closes the upstream connection at once; wrap it in `contextlib.aclosing` so that leaving early
    does not wait for the garbage collector. `client` is one of `new_client`.
    """
    try:
        check_options(target.protocol, target.options)
        request = await _request(prompt, target)
        call = _Call(target, prompt, request, client or shared_client(), retries)
    except UpstreamError as error:
        yield [Failed(error.problem)]
        return
    except InvalidInput as error:
        yield [Failed(Problem(Kind.BAD_REQUEST, str(error)))]
        return
    try:
        while True:
            yield [RequestSent(call.attempt)]
            outcome = await call.send()
            if isinstance(outcome, Reading):
                break
            if not await call.try_again(outcome):
                yield [Failed(outcome)]
                return
        yield [HeadersReceived(outcome.request_id)]
        while events := await outcome.read():
            yield events
    finally:
        await call.aclose()


async def _request(prompt: Prompt, target: Target) -> Request:
    """The protocol's request; with images it is large, and made on a thread."""
    adapter = ADAPTERS[target.protocol]
    if any(turn.images for turn in prompt.turns):
        return await asyncio.to_thread(carried(adapter.request), prompt, target)
    return adapter.request(prompt, target)


class _Call:
    """One call: its attempts, until one is answered. Holds at most one response at a time."""

    def __init__(
        self,
        target: Target,
        prompt: Prompt,
        request: Request,
        client: httpx2.AsyncClient,
        retries: RetryPolicy,
    ) -> None:
        self._adapter = ADAPTERS[target.protocol]
        self._request = request
        self._url = _parsed_url(self._request.url)
        self._target = target
        self._prompt = prompt
        self._client = client
        self._retries = retries
        self._loop = asyncio.get_running_loop()
        self._deadline = self._loop.time() + target.total_timeout_s
        self._waited_s = 0.0
        self._response: httpx2.Response | None = None
        self._reading: Reading | None = None
        self.attempt = 1

    async def send(self) -> Reading | Problem:
        """One attempt: the reading of a 200, or why there is none."""
        now = self._loop.time()
        first_byte_due = min(now + self._target.first_byte_timeout_s, self._deadline)
        try:
            async with asyncio.timeout_at(first_byte_due):
                response = await self._client.send(self._http_request(), stream=True)
        except TimeoutError:
            return no_answer(min(self._target.first_byte_timeout_s, self._target.total_timeout_s))
        except httpx2.RequestError as error:
            return connection_problem(error, self._url, self._target)
        self._response = response
        return await self._refusal(response) or self._begin_reading(response, first_byte_due)

    async def try_again(self, problem: Problem) -> bool:
        """Waits if another attempt makes sense; whether it does."""
        await self._close_response()
        if self.attempt > len(self._retries.delays_s):
            return False
        if not self._concede(problem) and not await self._wait(problem):
            return False
        self.attempt += 1
        return True

    async def aclose(self) -> None:
        """Closes the connection, unless the answer was read to its end."""
        if self._reading is not None:
            await self._reading.aclose()
        await self._close_response()

    def _http_request(self) -> httpx2.Request:
        return self._client.build_request(
            self._request.method,
            self._url,
            headers=dict(self._request.headers),
            content=self._request.body,
            timeout=httpx2.Timeout(None, connect=self._target.connect_timeout_s),
        )

    async def _refusal(self, response: httpx2.Response) -> Problem | None:
        status, headers = response.status_code, response.headers
        if status != 200:
            body = await _start_of_body(response)
            return problem_of_response(status, headers, body, self._target.api_key)
        coding = headers.get("content-encoding", "").lower()
        if coding not in _DECODABLE:
            message = _("The answer is compressed with %(coding)s, unasked.")
            return protocol_problem(message % {"coding": coding[:20]})
        return None

    def _begin_reading(self, response: httpx2.Response, first_byte_due: float) -> Reading:
        decoder = self._adapter.decoder(self._target, response.headers.get("content-type", ""))
        self._reading = Reading(response, decoder, self._target, first_byte_due, self._deadline)
        return self._reading

    def _concede(self, problem: Problem) -> bool:
        """Whether the endpoint refused an option that can be given up, which it then is."""
        if problem.http_status not in (400, 422):
            return False
        target = self._adapter.concede(self._target, problem)
        if target is None:
            return False
        self._target = target
        self._request = self._adapter.request(self._prompt, target)
        return True

    async def _wait(self, problem: Problem) -> bool:
        wait_s = self._retries.wait_s(problem, self.attempt - 1, self._waited_s)
        if wait_s is None or self._loop.time() + wait_s >= self._deadline:
            return False
        await asyncio.sleep(wait_s)
        self._waited_s += wait_s
        return True

    async def _close_response(self) -> None:
        if self._response is not None:
            await self._response.aclose()
            self._response = None


def _parsed_url(url: str) -> httpx2.URL:
    try:
        return httpx2.URL(url)
    except httpx2.InvalidURL:
        message = _("The endpoint's URL is not a valid URL.")
        raise UpstreamError(Problem(Kind.NOT_FOUND, message)) from None


async def _start_of_body(response: httpx2.Response) -> bytes:
    """What comes of an error's body in a short time, up to a limit."""
    body = bytearray()
    with suppress(TimeoutError, httpx2.RequestError):
        async with asyncio.timeout(_ERROR_BODY_TIMEOUT_S), aclosing(response.aiter_bytes()) as data:
            async for piece in data:
                body += piece
                if len(body) >= MAX_ERROR_BODY_BYTES:
                    break
    return bytes(body[:MAX_ERROR_BODY_BYTES])
