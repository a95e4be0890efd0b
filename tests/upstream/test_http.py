"""Time limits, broken connections, closing: what the network can do to an answer."""

import asyncio
import socket
from contextlib import aclosing

import pytest
from django.utils import translation

from chatapp.errors import Kind, Problem
from chatapp.events import Completed, Event, Failed, HeadersReceived, TextDelta, Truncated
from chatapp.upstream import answer, http
from chatapp.upstream.contract import Image, Prompt, Target, Turn
from chatapp.upstream.http import stream
from tests.upstream.asking import NO_RETRIES, PROMPT, ask, text_of
from tests.upstream.replay import chunk
from tests.upstream.scripted import DONE, EVENTS, TOKEN, Peer, answering, upstream


async def test_a_refused_connection_is_told_with_its_host() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]

    problem = failure(await ask(Target("openai", f"http://127.0.0.1:{port}/v1")))

    assert problem.kind is Kind.NETWORK
    assert problem.message == f"The connection to 127.0.0.1:{port} was refused."


async def test_a_name_without_address_is_told_by_name() -> None:
    problem = failure(await ask(Target("openai", "https://nosuch.invalid/v1")))

    assert problem.kind is Kind.NETWORK
    assert problem.message == "The name nosuch.invalid could not be found."


async def test_https_to_a_plain_port_is_no_secure_connection() -> None:
    async def refuse(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        host = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        problem = failure(await ask(Target("openai", f"https://{host}")))

    assert problem.kind is Kind.PROTOCOL
    assert problem.message.startswith(f"No secure connection to {host} could be made: ")


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "[fe80::1]",
        "[::ffff:169.254.169.254]",
        "0.0.0.0",
        "224.0.0.1",
        "100.100.100.200",
    ],
)
async def test_addresses_of_no_endpoint_are_not_connected_to(host: str) -> None:
    problem = failure(await ask(Target("openai", f"http://{host}/v1")))

    assert problem.kind is Kind.NOT_FOUND
    assert "no endpoint may have" in problem.message


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.example.com/v1",
        "ftp://api.example.com",
        "http://",
        "http://user:secret@api.example.com",
        "http://api.example.com/#x",
        "http://api.example.com:99999/",
        "http://[::1/",
        "http://a b/",
        "http://\u2024/",
    ],
)
async def test_a_malformed_url_is_a_sentence(url: str) -> None:
    problem = failure(await ask(Target("openai", url)))

    assert problem.message.startswith("The endpoint's URL ")
    assert "secret" not in problem.message


async def test_a_request_that_is_made_on_a_thread_fails_in_the_same_language() -> None:
    picture = Prompt((Turn("user", "Look", (Image("image/png", b"x"),)),))

    with translation.override("de"):
        [[failed]] = [batch async for batch in stream(Target("openai", "http://x/#y"), picture)]

    assert isinstance(failed, Failed)
    assert failed.problem.message == "Die URL des Endpunkts darf keinen Teil hinter # haben."


async def test_an_unknown_protocol_is_a_sentence() -> None:
    problem = failure(await ask(Target("smtp", "https://api.example.com")))

    assert problem.message == (
        'The protocol has to be one of openai, anthropic, truss, cerebrium, not "smtp".'
    )


async def test_options_that_cannot_be_taken_are_a_sentence() -> None:
    problem = failure(await ask(Target("openai", "https://x.test", options={"auth": "basic"})))

    assert problem.kind is Kind.BAD_REQUEST
    assert '"auth" has to be one of bearer' in problem.message


async def test_no_headers_in_time_is_no_answer() -> None:
    async with upstream(Peer.until_closed) as server:
        problem = failure(await ask(server.target(first_byte_timeout_s=0.1)))
        await asyncio.wait_for(server.all_closed.wait(), 30)

    assert (problem.kind, problem.message) == (Kind.TIMEOUT, "No answer within 0.1 s.")


async def test_headers_without_a_first_byte_are_no_answer() -> None:
    async def script(peer: Peer) -> None:
        await peer.begin()
        await peer.until_closed()

    async with upstream(script) as server:
        events = await ask(server.target(first_byte_timeout_s=0.1))
        await asyncio.wait_for(server.all_closed.wait(), 30)

    assert HeadersReceived(None) in events
    assert failure(events).message == "No answer within 0.1 s."


async def test_silence_after_text_keeps_the_text() -> None:
    async def script(peer: Peer) -> None:
        await peer.begin()
        await peer.chunk(TOKEN)
        await peer.until_closed()

    async with upstream(script) as server:
        events = await ask(server.target(silence_timeout_s=0.1))
        await asyncio.wait_for(server.all_closed.wait(), 30)

    assert text_of(events) == "tok "
    assert truncation(events) == Problem(Kind.TIMEOUT, "Nothing came for 0.1 s.")


async def test_comments_are_a_sign_of_life() -> None:
    async def script(peer: Peer) -> None:
        await peer.begin()
        for _ in range(8):
            await peer.chunk(b": keep-alive\n\n")
            await asyncio.sleep(0.15)
        await peer.chunk(TOKEN + DONE)

    async with upstream(script) as server:
        events = await ask(server.target(silence_timeout_s=1))

    assert events[-1] == Completed(None)


async def test_a_slow_reader_is_not_the_upstreams_silence() -> None:
    async def script(peer: Peer) -> None:
        await peer.begin()
        await peer.chunk(TOKEN)
        await asyncio.sleep(0.05)
        await peer.chunk(TOKEN + DONE)

    async with upstream(script) as server:
        events: list[Event] = []
        target = server.target(silence_timeout_s=0.2)
        async for read in http.stream(target, PROMPT, retries=NO_RETRIES):
            events += read
            if isinstance(read[0], TextDelta):
                await asyncio.sleep(0.3)

    assert text_of(events) == "tok tok "
    assert events[-1] == Completed(None)


async def test_an_endless_answer_ends_at_the_limit_for_all() -> None:
    async def script(peer: Peer) -> None:
        await peer.begin()
        while True:
            await peer.chunk(TOKEN)
            await asyncio.sleep(0.005)

    async with upstream(script) as server:
        events = await ask(server.target(total_timeout_s=0.5))
        await asyncio.wait_for(server.all_closed.wait(), 30)

    assert text_of(events).startswith("tok tok ")
    assert truncation(events) == Problem(Kind.TIMEOUT, "The answer took longer than 0.5 s.")


async def test_an_endless_answer_ends_at_the_limit_for_text() -> None:
    async def script(peer: Peer) -> None:
        await peer.begin()
        while True:
            await peer.chunk(TOKEN * 1000)

    async with upstream(script) as server:
        events = await ask(server.target())
        await asyncio.wait_for(server.all_closed.wait(), 30)

    assert len(text_of(events)) == answer.MAX_ANSWER_CHARS
    assert truncation(events).kind is Kind.CUT
    assert truncation(events).message.endswith("it has more than 1,000,000 characters.")


async def test_a_line_of_10_mb_is_refused_and_the_text_before_kept() -> None:
    async def script(peer: Peer) -> None:
        await peer.begin()
        await peer.chunk(TOKEN)
        for _ in range(10):
            await peer.chunk(b"x" * 1_000_000)

    async with upstream(script) as server:
        events = await ask(server.target())
        await asyncio.wait_for(server.all_closed.wait(), 30)

    assert text_of(events) == "tok "
    assert failure(events).kind is Kind.PROTOCOL
    assert failure(events).message == "The endpoint sent a line of more than 256 KiB."


async def test_a_reset_connection_keeps_the_text() -> None:
    async def script(peer: Peer) -> None:
        await peer.begin()
        await peer.chunk(TOKEN)
        await asyncio.sleep(0.05)
        peer.writer.transport.abort()

    async with upstream(script) as server:
        events = await ask(server.target())

    assert text_of(events) == "tok "
    assert truncation(events).kind is Kind.NETWORK


async def test_text_that_came_with_the_reset_is_kept() -> None:
    async def script(peer: Peer) -> None:
        await peer.begin()
        await peer.chunk(TOKEN)
        await peer.reader.read(1)

    async with upstream(script) as server:
        reads = http.stream(server.target(), PROMPT, retries=NO_RETRIES)
        events = await anext(reads) + await anext(reads)
        # Token and end come while nobody reads.
        server.close_all()
        await asyncio.sleep(0.05)
        events += [event async for read in reads for event in read]

    assert text_of(events) == "tok "
    assert truncation(events).kind is Kind.NETWORK


async def test_broken_chunks_keep_the_text() -> None:
    async def script(peer: Peer) -> None:
        await peer.begin()
        await peer.chunk(TOKEN)
        await asyncio.sleep(0.05)
        await peer.send(b"not a size\r\n")
        await peer.until_closed()

    async with upstream(script) as server:
        events = await ask(server.target())

    assert text_of(events) == "tok "
    assert truncation(events).kind is Kind.NETWORK


async def test_a_chunk_that_breaks_in_the_same_write_keeps_the_text() -> None:
    async def script(peer: Peer) -> None:
        await peer.begin()
        await asyncio.sleep(0.05)
        await peer.send(chunk(TOKEN) + b"not a size\r\n")
        await peer.until_closed()

    async with upstream(script) as server:
        events = await ask(server.target())

    assert text_of(events) == "tok "
    assert truncation(events).kind is Kind.NETWORK


@pytest.mark.parametrize("greeting", [b"", b"SSH-2.0-server\r\n", b"HTTP/1.1 200 OK\r\nbroken"])
async def test_an_answer_that_is_not_http_is_a_broken_connection(greeting: bytes) -> None:
    async def script(peer: Peer) -> None:
        await peer.send(greeting)
        peer.writer.close()

    async with upstream(script) as server:
        problem = failure(await ask(server.target()))

    assert problem.kind is Kind.NETWORK
    assert problem.message == f"127.0.0.1:{server.port} closed the connection without an answer."


async def test_a_break_after_the_end_marker_is_no_error() -> None:
    async def script(peer: Peer) -> None:
        await peer.begin()
        await peer.chunk(TOKEN + DONE)
        peer.writer.transport.abort()

    async with upstream(script) as server:
        events = await ask(server.target())

    assert events[-1] == Completed(None)


async def test_corrupt_gzip_is_told() -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {EVENTS}\r\nContent-Encoding: gzip\r\n"

    async def script(peer: Peer) -> None:
        await peer.send(f"{head}Content-Length: 10\r\n\r\n".encode() + b"0123456789")

    async with upstream(script) as server:
        problem = failure(await ask(server.target()))

    assert problem.kind is Kind.PROTOCOL
    assert "could not be decompressed" in problem.message


async def test_a_coding_nobody_asked_for_is_refused() -> None:
    async def script(peer: Peer) -> None:
        await peer.respond(200, b"zzz", "Content-Encoding: br\r\n")

    async with upstream(script) as server:
        problem = failure(await ask(server.target()))

    assert problem.kind is Kind.PROTOCOL
    assert problem.message == "The answer is compressed with br, unasked."


@pytest.mark.parametrize("content_type", ["text/html; charset=utf-8", "text/plain", ""])
async def test_a_web_page_with_status_200_is_told_by_its_title(content_type: str) -> None:
    page = b"\n<!doctype html><html><head><title>Log &lt;b&gt;in</title></head><p>x</html>"

    async with upstream(answering(page, content_type)) as server:
        problem = failure(await ask(server.target()))

    assert problem.kind is Kind.PROTOCOL
    assert problem.http_status is None
    assert problem.message == "The endpoint answered with a web page (200): Log in"


async def test_a_redirect_is_told_and_not_followed() -> None:
    async def script(peer: Peer) -> None:
        await peer.respond(307, b"", "Location: http://127.0.0.1:1/elsewhere\r\n")

    async with upstream(script) as server:
        problem = failure(await ask(server.target()))

    assert server.requests == 1
    assert (problem.kind, problem.http_status) == (Kind.PROTOCOL, 307)
    assert "http://127.0.0.1:1/elsewhere" in problem.message


async def test_an_accepted_job_is_no_answer() -> None:
    async def script(peer: Peer) -> None:
        await peer.respond(202, b'{"run_id": "r-1"}')

    async with upstream(script) as server:
        problem = failure(await ask(server.target()))

    assert (problem.kind, problem.http_status, problem.request_id) == (Kind.PROTOCOL, 202, "r-1")


async def test_an_endless_error_body_is_cut_off() -> None:
    async def script(peer: Peer) -> None:
        await peer.send(b"HTTP/1.1 500 Oh\r\nContent-Type: text/plain\r\n\r\n")
        while True:
            await peer.send(b"words " * 1000)

    async with upstream(script) as server:
        problem = failure(await ask(server.target()))
        await asyncio.wait_for(server.all_closed.wait(), 30)

    assert problem.kind is Kind.SERVER
    assert len(problem.message) == 1000


async def test_the_request_id_of_an_answer_is_kept() -> None:
    async def script(peer: Peer) -> None:
        await peer.respond(200, TOKEN + DONE, f"Content-Type: {EVENTS}\r\nX-Request-Id: r-7\r\n")

    async with upstream(script) as server:
        events = await ask(server.target())

    assert HeadersReceived("r-7") in events


async def test_closing_before_headers_reaches_the_upstream_at_once() -> None:
    asked = asyncio.Event()

    async def script(peer: Peer) -> None:
        asked.set()
        await peer.until_closed()

    async with upstream(script) as server:
        task = asyncio.create_task(ask(server.target()))
        await asked.wait()
        task.cancel()

        await asyncio.wait_for(server.all_closed.wait(), 30)
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_leaving_the_iteration_reaches_the_upstream_at_once() -> None:
    async def script(peer: Peer) -> None:
        await peer.begin()
        await peer.chunk(TOKEN)
        await peer.until_closed()

    async with upstream(script) as server:
        async with aclosing(http.stream(server.target(), PROMPT)) as reads:
            async for events in reads:
                if isinstance(events[0], TextDelta):
                    break

        await asyncio.wait_for(server.all_closed.wait(), 30)


async def test_a_thousand_cancels_leave_nothing_open() -> None:
    async def script(peer: Peer) -> None:
        if peer.number % 3:
            await peer.begin()
        if peer.number % 3 == 2:
            await peer.chunk(TOKEN)
        await peer.until_closed()

    async with upstream(script) as server:
        for _ in range(10):
            tasks = [asyncio.create_task(ask(server.target())) for _ in range(100)]
            await asyncio.sleep(0.02)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        await asyncio.wait_for(server.all_closed.wait(), 30)

    async with upstream(answering(TOKEN + DONE)) as server:
        answers = await asyncio.gather(*[ask(server.target()) for _ in range(10)])
    assert all(events[-1] == Completed(None) for events in answers)


async def test_a_connection_is_kept_for_the_next_call() -> None:
    async with upstream(answering(TOKEN + DONE)) as server:
        for _ in range(3):
            await ask(server.target())

    assert (server.requests, server.connections) == (3, 1)


async def test_cookies_are_not_kept() -> None:
    cookies = []

    async def script(peer: Peer) -> None:
        cookies.append(peer.request.headers.get("cookie"))
        headers = f"Content-Type: {EVENTS}\r\nSet-Cookie: a=b\r\n"
        await peer.respond(200, TOKEN + DONE, headers)

    async with upstream(script) as server:
        await ask(server.target())
        await ask(server.target())

    assert cookies == [None, None]


async def test_the_path_goes_out_as_it_was_given() -> None:
    paths = []

    async def script(peer: Peer) -> None:
        paths.append(peer.request.path)
        await peer.respond(200, b"a", "Content-Type: text/plain\r\n")

    async with upstream(script) as server:
        url = f"http://127.0.0.1:{server.port}/a%2Fb%7E/predict?x=%20y&z"
        await ask(server.target(protocol="truss", url=url))

    assert paths == ["/a%2Fb%7E/predict?x=%20y&z"]


def test_each_event_loop_has_a_client_of_its_own() -> None:
    async def call() -> Event:
        async with upstream(answering(TOKEN + DONE)) as server:
            events = await ask(server.target())
        await http.close_client()
        return events[-1]

    assert [asyncio.run(call()), asyncio.run(call())] == [Completed(None)] * 2


def failure(events: list[Event]) -> Problem:
    assert isinstance(events[-1], Failed)
    return events[-1].problem


def truncation(events: list[Event]) -> Problem:
    assert isinstance(events[-1], Truncated)
    return events[-1].problem
