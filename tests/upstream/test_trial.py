"""A target that is tried out: what happened, in order, and nothing of the key."""

import asyncio
from contextlib import aclosing

import pytest

from chatapp.errors import Kind
from chatapp.upstream import trial
from chatapp.upstream.contract import Target
from chatapp.upstream.trial import Answered, Asked, Ended, Fact, FirstToken, Piece, try_out
from tests.upstream.asking import PROMPT, ask, text_of
from tests.upstream.scripted import DONE, EVENTS, TOKEN, Peer, answering, upstream

KEY = "sk-very-secret-0123456789"


async def facts_of(target: Target) -> list[Fact]:
    async with asyncio.timeout(20), aclosing(try_out(target, PROMPT)) as facts:
        return [fact async for fact in facts]


def ending(facts: list[Fact]) -> Ended:
    assert isinstance(facts[-1], Ended)
    return facts[-1]


async def test_what_happens_is_told_in_order_with_its_times() -> None:
    usage = b'data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}\n\n'

    async def script(peer: Peer) -> None:
        await peer.begin()
        await peer.chunk(TOKEN)
        await asyncio.sleep(0.02)
        await peer.chunk(TOKEN + usage + DONE)
        await peer.chunk(b"")

    async with upstream(script) as server:
        facts = await facts_of(server.target())

    kinds = [type(fact) for fact in facts]
    assert kinds[:4] == [Asked, Answered, Piece, FirstToken]
    assert [fact.at_ms for fact in facts] == sorted(fact.at_ms for fact in facts)
    answered = next(fact for fact in facts if isinstance(fact, Answered))
    assert (answered.status, answered.content_type) == ("200 OK", EVENTS)
    pieces = [fact for fact in facts if isinstance(fact, Piece)]
    assert "".join(piece.text for piece in pieces) == (TOKEN * 2 + usage + DONE).decode()
    assert sum(piece.size for piece in pieces) == len(TOKEN * 2 + usage + DONE)
    end = ending(facts)
    assert end.text == "tok tok "
    assert end.problem is None
    assert end.tokens_a_second and not end.is_estimate
    assert end.first_ms is not None and end.first_ms <= end.at_ms


async def test_pieces_are_told_while_they_come() -> None:
    may_end = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.begin()
        await peer.chunk(b": nothing yet\n\n")
        await may_end.wait()
        await peer.chunk(TOKEN + DONE)

    async with upstream(script) as server, aclosing(try_out(server.target(), PROMPT)) as facts:
        async with asyncio.timeout(20):
            async for fact in facts:
                if isinstance(fact, Piece):
                    assert may_end.is_set() or fact.text == ": nothing yet\n\n"
                    may_end.set()

    assert isinstance(fact, Ended)


async def test_the_upstreams_own_error_is_told_without_the_key() -> None:
    said = f'{{"error": {{"message": "Incorrect key: {KEY}"}}}}'.encode()

    async def script(peer: Peer) -> None:
        headers = f"Content-Type: application/json; {KEY}\r\nX-Request-Id: {KEY}\r\n"
        await peer.respond(401, said, headers)

    async with upstream(script) as server:
        facts = await facts_of(server.target(api_key=KEY))

    problem = ending(facts).problem
    assert problem is not None
    assert (problem.kind, problem.http_status) == (Kind.AUTH, 401)
    assert problem.message == "Incorrect key: [key]"
    assert "Incorrect key: [key]" in "".join(f.text for f in facts if isinstance(f, Piece))
    assert KEY not in repr(facts)


async def test_a_key_that_comes_letter_by_letter_in_the_answer_is_removed() -> None:
    async def script(peer: Peer) -> None:
        await peer.begin("text/plain")
        for letter in f"Your key is {KEY}.":
            await peer.chunk(letter.encode())
            await asyncio.sleep(0)
        await peer.chunk(b"")

    async with upstream(script) as server:
        facts = await facts_of(server.target(protocol="truss", api_key=KEY))

    # Its first letters, with which many a word begins, are not waited for.
    told = {ending(facts).text, "".join(f.text for f in facts if isinstance(f, Piece))}
    assert told <= {f"Your key is {KEY[:given]}[key]." for given in range(4)}


async def test_a_failure_is_not_tried_again() -> None:
    async def script(peer: Peer) -> None:
        await peer.respond(503, b"later", "Retry-After: 0\r\n")

    async with upstream(script) as server:
        facts = await facts_of(server.target())

    assert server.requests == 1
    assert sum(isinstance(fact, Asked) for fact in facts) == 1


async def test_an_option_that_is_refused_is_given_up_once() -> None:
    async def script(peer: Peer) -> None:
        if peer.number == 0:
            await peer.respond(400, b'{"error": "unknown field stream_options"}')
        else:
            await peer.respond(200, TOKEN + DONE, f"Content-Type: {EVENTS}\r\n")

    async with upstream(script) as server:
        facts = await facts_of(server.target())

    assert [f.status for f in facts if isinstance(f, Answered)] == ["400 Bad Request", "200 OK"]
    assert ending(facts).problem is None


@pytest.mark.parametrize("letters", [1, 3000])
async def test_an_endless_answer_is_ended_once_enough_was_seen(letters: int) -> None:
    async def script(peer: Peer) -> None:
        await peer.begin("text/plain")
        while True:
            await peer.chunk(b"x" * letters)
            await asyncio.sleep(0)

    async with upstream(script) as server:
        facts = await facts_of(server.target(protocol="truss"))
        await asyncio.wait_for(server.all_closed.wait(), 5)

    pieces = [fact for fact in facts if isinstance(fact, Piece)]
    assert len(pieces) <= trial.MOST_PIECES
    assert all(len(piece.text) <= trial.MOST_PIECE_CHARS for piece in pieces)
    assert ending(facts).closing is None
    assert len(ending(facts).text) <= trial.MOST_CHARS


async def test_leaving_early_closes_the_upstream() -> None:
    async def script(peer: Peer) -> None:
        await peer.begin()
        await peer.chunk(TOKEN)
        await peer.until_closed()

    async with upstream(script) as server:
        async with aclosing(try_out(server.target(), PROMPT)) as facts:
            async for fact in facts:
                if isinstance(fact, FirstToken):
                    break
        await asyncio.wait_for(server.all_closed.wait(), 5)


async def test_what_people_read_does_not_tell_the_key_either() -> None:
    async with upstream(answering(f"echo: {KEY}".encode(), "text/plain")) as server:
        events = await ask(server.target(protocol="truss", api_key=f"{KEY}\n"))

    assert text_of(events) == "echo: [key]"


def test_a_target_in_a_log_does_not_tell_its_key() -> None:
    assert KEY not in repr(Target("openai", "https://x.test", api_key=KEY))
