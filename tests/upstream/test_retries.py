"""When a call is tried again: only before an answer, twice at most, never against a wait."""

import asyncio

import pytest

from chatapp.errors import Kind, Problem
from chatapp.events import Completed, Failed, HeadersReceived, RequestSent, Truncated
from chatapp.upstream.retries import RetryPolicy
from tests.upstream.asking import QUICK_RETRIES, ask, attempts_of, text_of
from tests.upstream.scripted import DONE, EVENTS, TOKEN, Peer, Script, upstream

ANSWER = TOKEN + DONE


def refusing(times: int, status: int, headers: str = "", body: bytes = b"") -> Script:
    """A script that answers with `status` some times, then with an answer."""

    async def script(peer: Peer) -> None:
        if peer.number < times:
            await peer.respond(status, body, headers)
        else:
            await peer.respond(200, ANSWER, f"Content-Type: {EVENTS}\r\n")

    return script


@pytest.mark.parametrize("status", [502, 503, 529])
async def test_a_model_that_had_not_begun_is_asked_again(status: int) -> None:
    async with upstream(refusing(2, status)) as server:
        events = await ask(server.target(), retries=QUICK_RETRIES)

    assert server.requests == 3
    assert events[:4] == [RequestSent(1), RequestSent(2), RequestSent(3), HeadersReceived(None)]
    assert events[-1] == Completed(None)


async def test_it_is_asked_again_twice_at_most() -> None:
    async with upstream(refusing(9, 503)) as server:
        events = await ask(server.target(), retries=QUICK_RETRIES)

    assert server.requests == 3
    assert isinstance(events[-1], Failed)
    assert events[-1].problem.kind is Kind.OVERLOADED


@pytest.mark.parametrize("status", [400, 401, 404, 408, 409, 422, 429, 500, 504])
async def test_other_refusals_are_told_at_once(status: int) -> None:
    async with upstream(refusing(1, status)) as server:
        events = await ask(server.target(), retries=QUICK_RETRIES)

    assert server.requests == attempts_of(events) == 1


@pytest.mark.parametrize("status", [408, 429, 500, 503])
async def test_a_wait_that_the_upstream_names_is_kept(status: int) -> None:
    async with upstream(refusing(1, status, "Retry-After: 0.2\r\n")) as server:
        started = asyncio.get_running_loop().time()
        events = await ask(server.target(), retries=QUICK_RETRIES)
        took = asyncio.get_running_loop().time() - started

    assert events[-1] == Completed(None)
    assert took >= 0.2


async def test_a_wait_beyond_patience_is_told_at_once() -> None:
    async with upstream(refusing(1, 429, "Retry-After: 60\r\n")) as server:
        events = await ask(server.target())

    assert server.requests == 1
    assert isinstance(events[-1], Failed)
    assert events[-1].problem.retry_after_s == 60


async def test_a_connection_that_closes_without_an_answer_is_tried_again() -> None:
    async def script(peer: Peer) -> None:
        if peer.number < 2:
            peer.writer.transport.abort()
        else:
            await peer.respond(200, ANSWER, f"Content-Type: {EVENTS}\r\n")

    async with upstream(script) as server:
        events = await ask(server.target(), retries=QUICK_RETRIES)

    assert events[-1] == Completed(None)


@pytest.mark.parametrize("body", [b"", b": comment\n\n", TOKEN])
async def test_an_answer_that_began_is_never_asked_for_again(body: bytes) -> None:
    async def script(peer: Peer) -> None:
        await peer.begin()
        if body:
            await peer.chunk(body)
        await asyncio.sleep(0.05)
        peer.writer.transport.abort()

    async with upstream(script) as server:
        events = await ask(server.target(), retries=QUICK_RETRIES)

    assert server.requests == 1
    assert isinstance(events[-1], Truncated if body == TOKEN else Failed)
    assert events[-1].problem.kind is Kind.NETWORK


async def test_a_refused_stream_options_is_left_out() -> None:
    async def script(peer: Peer) -> None:
        if b"stream_options" in peer.request.body:
            await peer.respond(400, b'{"detail": "stream_options: extra fields not permitted"}')
        else:
            await peer.respond(200, ANSWER, f"Content-Type: {EVENTS}\r\n")

    async with upstream(script) as server:
        events = await ask(server.target(), retries=QUICK_RETRIES)

    assert server.requests == 2
    assert text_of(events) == "tok "


async def test_max_tokens_is_renamed_when_the_upstream_asks_for_it() -> None:
    async def script(peer: Peer) -> None:
        if b'"max_tokens"' in peer.request.body:
            words = b"Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
            await peer.respond(400, b'{"error": {"message": "%b"}}' % words)
        else:
            await peer.respond(200, ANSWER, f"Content-Type: {EVENTS}\r\n")

    async with upstream(script) as server:
        target = server.target(options={"max_tokens": 9})
        events = await ask(target, retries=QUICK_RETRIES)

    assert events[-1] == Completed(None)


async def test_the_limit_for_all_holds_for_the_waits_too() -> None:
    patient = RetryPolicy((0.01, 0.01), patience_s=10)

    async with upstream(refusing(9, 503, "Retry-After: 0.8\r\n")) as server:
        events = await ask(server.target(total_timeout_s=1.2), retries=patient)

    assert server.requests == 2
    assert isinstance(events[-1], Failed)


def test_waits_are_jittered_and_grow() -> None:
    overloaded = Problem(Kind.OVERLOADED, "", http_status=503)
    policy = RetryPolicy()

    first = {policy.wait_s(overloaded, 0, 0) for _ in range(50)}
    second = {policy.wait_s(overloaded, 1, 0.5) for _ in range(50)}

    assert len(first) > 1
    assert all(wait is not None and 0.375 <= wait <= 0.625 for wait in first)
    assert all(wait is not None and 0.75 <= wait <= 1.25 for wait in second)
    assert policy.wait_s(overloaded, 2, 1.5) is None
