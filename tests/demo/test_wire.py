"""What each protocol looks like on the wire, and that all four say the same."""

import json

import httpx2
import pytest

from chatapp.demo.server import DemoServer
from tests.demo.wires import PROTOCOLS, ask, colophon_removed, events, question, tell, url

PROMPTS = ("hello", "a table, code and a poem", "why is the sky blue?", "/tokens 3000", "/code 50")
TEXT_NOBODY_EXPECTS = (
    "  two spaces\ttab\n\n\n日本語 naïve 🌊 👩‍💻 e\u0301 \u2028\u2029\x85\x0c\r\n\rdata: x"
    "\n\ndata: [DONE]"
    '\n{"token": "x"}\n{"error": "y"}\n[DONE] null true 42 "quoted" \\( <b>&amp;</b> `` ~~~\u200f '
)


async def test_openai_goes_from_a_role_chunk_to_done(
    client: httpx2.AsyncClient, server: DemoServer
) -> None:
    response = await ask(client, server, "openai", "/echo Hi there!", model="m")

    *chunks, (_, done) = events(response.text)
    first, *middle, last = [json.loads(data)["choices"][0] for _, data in chunks]
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert first["delta"] == {"role": "assistant", "content": ""}
    assert [choice["delta"] for choice in middle] == [
        {"content": "Hi"},
        {"content": " there"},
        {"content": "!"},
    ]
    assert (last["delta"], last["finish_reason"], done) == ({}, "stop", "[DONE]")
    assert all(json.loads(data)["model"] == "m" for _, data in chunks)


@pytest.mark.parametrize(
    ("options", "usage"),
    [
        ({}, None),
        ({"stream_options": {"include_usage": False}}, None),
        ({"stream_options": {"include_usage": True}}, 3),
    ],
)
async def test_openai_counts_tokens_when_asked_to(
    client: httpx2.AsyncClient, server: DemoServer, options: dict[str, object], usage: int | None
) -> None:
    said = await tell(client, server, "openai", "/echo Hi there!", **options)

    assert (said.usage and said.usage["completion_tokens"]) == usage


async def test_anthropic_tells_a_message_from_start_to_stop(
    client: httpx2.AsyncClient, server: DemoServer
) -> None:
    response = await ask(client, server, "anthropic", "/reason 2 /echo Hi there")

    assert [name for name, _ in events(response.text)] == [
        "message_start",
        "ping",
        "content_block_start",  # thinking
        "content_block_delta",
        "content_block_delta",
        "content_block_delta",  # its signature
        "content_block_stop",
        "content_block_start",  # text
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    starts = [json.loads(data) for name, data in events(response.text) if "block_start" in name]
    assert [(s["index"], s["content_block"]["type"]) for s in starts] == [
        (0, "thinking"),
        (1, "text"),
    ]


async def test_truss_sends_the_text_and_nothing_else(
    client: httpx2.AsyncClient, server: DemoServer
) -> None:
    response = await ask(client, server, "truss", "think /echo Hi there!\n")

    assert response.headers["content-type"] == "application/octet-stream"
    assert response.content == b"Hi there!\n"


async def test_cerebrium_sends_an_event_for_each_token(
    client: httpx2.AsyncClient, server: DemoServer
) -> None:
    response = await ask(client, server, "cerebrium", "/echo Hi there\n\n you")

    assert response.text == "data: Hi\n\ndata:  there\n\ndata: \ndata: \ndata: \n\ndata:  you\n\n"


@pytest.mark.parametrize("prompt", PROMPTS)
async def test_every_protocol_says_the_same(
    client: httpx2.AsyncClient, server: DemoServer, prompt: str
) -> None:
    told = [(await tell(client, server, protocol, prompt)).text for protocol in PROTOCOLS]

    if not prompt.startswith("/"):
        assert all(p in text.rpartition("\n")[2] for p, text in zip(PROTOCOLS, told, strict=True))
        told = [colophon_removed(text) for text in told]
    assert len(set(told)) == 1


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_echo_is_exact(client: httpx2.AsyncClient, server: DemoServer, protocol: str) -> None:
    said = await tell(client, server, protocol, f"/echo {TEXT_NOBODY_EXPECTS}")

    assert said.text == TEXT_NOBODY_EXPECTS


@pytest.mark.parametrize("protocol", ["openai", "anthropic"])
async def test_reasoning_comes_in_its_own_channel(
    client: httpx2.AsyncClient, server: DemoServer, protocol: str
) -> None:
    said = await tell(client, server, protocol, "/reason 50 table")

    assert said.reasoning.startswith("The message has 1 word.")
    assert "| wind |" in said.text or "| way to wait |" in said.text


@pytest.mark.parametrize(
    ("protocol", "limit", "finish"),
    [
        ("openai", {"max_tokens": 5}, "length"),
        ("openai", {"max_completion_tokens": 5}, "length"),
        ("anthropic", {"max_tokens": 5}, "max_tokens"),
        ("truss", {"max_new_tokens": 5}, None),
        ("cerebrium", {"max_tokens": 5}, None),
    ],
)
async def test_the_token_limit_is_honoured(
    client: httpx2.AsyncClient,
    server: DemoServer,
    protocol: str,
    limit: dict[str, int],
    finish: str | None,
) -> None:
    said = await tell(client, server, protocol, "/echo one two three four five six", **limit)

    assert (said.text, said.finish) == ("one two three four five", finish)


async def test_an_answer_as_long_as_the_limit_is_not_cut(
    client: httpx2.AsyncClient, server: DemoServer
) -> None:
    said = await tell(client, server, "openai", "/echo one two three", max_tokens=3)

    assert (said.text, said.finish) == ("one two three", "stop")


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_the_answer_comes_whole_when_streaming_is_not_wanted(
    client: httpx2.AsyncClient, server: DemoServer, protocol: str
) -> None:
    response = await ask(client, server, protocol, "/reason 3 /echo Hi, 世界", stream=False)

    body = response.json()
    text = {
        "openai": lambda: body["choices"][0]["message"]["content"],
        "anthropic": lambda: body["content"][1]["text"],
        "truss": lambda: body,
        "cerebrium": lambda: body["result"],
    }[protocol]()
    assert text == "Hi, 世界"


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("key", [None, "Bearer secret", "Api-Key secret"])
async def test_a_key_is_neither_needed_nor_minded(
    client: httpx2.AsyncClient, server: DemoServer, protocol: str, key: str | None
) -> None:
    headers = {"authorization": key} if key else {}

    response = await client.post(
        url(server, protocol), json=question(protocol, "/delay 0 /echo Hi"), headers=headers
    )

    assert response.status_code == 200


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("body", ["not json", "[]", "{}", '{"messages": []}'])
async def test_a_request_that_asks_nothing_is_told_so(
    client: httpx2.AsyncClient, server: DemoServer, protocol: str, body: str
) -> None:
    response = await client.post(url(server, protocol), content=body)

    assert response.status_code == 400
    assert "Expect" in response.text
