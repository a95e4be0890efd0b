"""Every recorded response, played four ways, ends as the fixture says."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from chatapp.errors import Kind, Problem
from chatapp.events import Event
from chatapp.upstream.contract import Target
from chatapp.upstream.http import stream
from chatapp.upstream.protocols import ADAPTERS
from tests.upstream.asking import NO_RETRIES, PROMPT, ask, outcome, text_of
from tests.upstream.conftest import FIXTURES
from tests.upstream.replay import Fixture, Replay

KEY = "sk-canary-0123456789"


@pytest.mark.parametrize("cut", ["whole", "byte by byte", "as recorded"])
async def test_a_response_ends_as_its_fixture_says(
    fixture: Fixture, replay: Replay, cut: str
) -> None:
    replay.fixtures[fixture.key] = recut(fixture, cut)

    events = await ask(target_of(fixture, replay))

    assert_expected(fixture, outcome(events))


@pytest.mark.parametrize(
    "key", [key for key, item in FIXTURES.items() if "visible_after" in item.meta["expect"]]
)
async def test_text_is_given_out_before_the_next_write(key: str, replay: Replay) -> None:
    fixture = FIXTURES[key]
    arrived: list[Event] = []
    more = asyncio.Condition()

    async def wait_until_visible(_: str, number: int) -> None:
        due = [text for after, text in fixture.meta["expect"]["visible_after"] if after < number]
        async with more, asyncio.timeout(30):
            await more.wait_for(lambda: not due or text_of(arrived).startswith(due[-1]))

    replay.gate = wait_until_visible
    async for events in stream(target_of(fixture, replay), PROMPT, retries=NO_RETRIES):
        async with more:
            arrived += events
            more.notify_all()

    assert_expected(fixture, outcome(arrived))


@pytest.mark.parametrize(
    "key",
    [
        key
        for key, item in FIXTURES.items()
        if item.meta["response"]["status"] == 200 and "gzip" not in key
    ],
)
@pytest.mark.parametrize("size", [1, 2, 3, 7, 1_000_000])
def test_a_decoder_takes_bytes_cut_anywhere(key: str, size: int) -> None:
    fixture = FIXTURES[key]
    headers = dict(fixture.meta["response"]["headers"])
    is_broken = fixture.meta["response"]["end"] == "abort"
    target = Target(fixture.meta["protocol"], "", options=options_of(fixture))
    decoder = ADAPTERS[target.protocol].decoder(target, headers.get("content-type", ""))

    body = fixture.body
    events = [e for at in range(0, len(body), size) for e in decoder.feed(body[at : at + size])]
    events += decoder.close(Problem(Kind.NETWORK, "It broke.") if is_broken else None)

    assert_expected(fixture, outcome(events))
    assert decoder.feed(b"data: more\n\n") == []
    assert decoder.close() == []


def target_of(fixture: Fixture, replay: Replay) -> Target:
    return Target(
        fixture.meta["protocol"],
        replay.url(fixture.key),
        model="m",
        api_key=fixture.meta.get("options", {}).get("api_key", KEY),
        options=options_of(fixture),
    )


def options_of(fixture: Fixture) -> dict[str, Any]:
    options = dict(fixture.meta.get("options") or {})
    options.pop("api_key", None)
    return options


def recut(fixture: Fixture, cut: str) -> Fixture:
    if cut == "as recorded":
        return fixture
    size = 1 if cut == "byte by byte" else max(len(fixture.body), 1)
    body = fixture.body
    return replace(fixture, writes=[body[at : at + size] for at in range(0, len(body), size)])


def assert_expected(fixture: Fixture, found: dict[str, Any]) -> None:
    expect = fixture.meta["expect"]
    assert found["status"] == expect["status"]
    for name in ("text", "reasoning", "refusal"):
        assert found[name] == "".join(expect.get(name, []))
    if expect["status"] == "complete":
        assert found["finish"] == expect["finish"]
        assert found["usage"] == expect["usage"]
    if expect["error"] is not None:
        assert_problem(found["problem"], expect["error"])


def assert_problem(problem: Problem, expect: dict[str, Any]) -> None:
    assert problem.kind == expect["kind"]
    assert problem.http_status == expect["http_status"]
    for part in expect["message_contains"]:
        assert part in problem.message
    for part in expect.get("message_excludes", []):
        assert part not in problem.message
    if "retry_after" in expect:
        assert problem.retry_after_s == expect["retry_after"]
    if "request_id" in expect:
        assert problem.request_id == expect["request_id"]
    assert KEY not in problem.message
    assert problem.message
