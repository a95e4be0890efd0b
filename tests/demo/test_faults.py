"""Every fault behaves on the wire as `/help` says."""

import asyncio

import httpx2
import pytest

from chatapp.demo.faults import FAULTS
from chatapp.demo.server import DemoServer
from tests.demo.wires import PROTOCOLS, ask, events, question, tell, told, until_nobody_listens, url

STATUSES = [fault for fault in FAULTS.values() if fault.http_status]
EVENT_STREAMS = ("openai", "anthropic", "cerebrium")
MARKED = ("openai", "anthropic")  # protocols with an end marker


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("fault", STATUSES, ids=lambda fault: fault.name)
async def test_a_status_comes_with_a_message_and_a_request_id(
    client: httpx2.AsyncClient, server: DemoServer, protocol: str, fault: object
) -> None:
    assert fault in STATUSES
    name = getattr(fault, "name", "")

    response = await ask(client, server, protocol, f"/fault {name}")

    header = "request-id" if protocol == "anthropic" else "x-request-id"
    assert response.status_code == int(name)
    assert FAULTS[name].message in response.text
    assert response.headers[header].startswith("req_demo_")
    assert ("retry-after" in response.headers) == (name == "429")


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_cut_ends_properly_without_an_end_marker(
    client: httpx2.AsyncClient, server: DemoServer, protocol: str
) -> None:
    said = await tell(client, server, protocol, "/fault cut")

    assert "You asked for the fault" in said.text
    assert said.finish is None
    assert said.is_ended == (protocol not in MARKED)


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_abort_breaks_the_connection_after_some_text(
    client: httpx2.AsyncClient, server: DemoServer, protocol: str
) -> None:
    body = question(protocol, "/fault abort /delay 0 /pace max")
    arrived = b""

    with pytest.raises(httpx2.RemoteProtocolError):
        async with client.stream("POST", url(server, protocol), json=body) as response:
            async for data in response.aiter_raw():
                arrived += data

    assert "You asked for the fault" in told(protocol, arrived.decode()).text


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_stall_falls_silent_until_the_client_leaves(
    client: httpx2.AsyncClient, server: DemoServer, protocol: str
) -> None:
    body = question(protocol, "/fault stall /delay 0 /pace max")
    limits = httpx2.Timeout(5, read=0.2)

    with pytest.raises(httpx2.ReadTimeout):
        async with client.stream("POST", url(server, protocol), json=body, timeout=limits) as reply:
            assert reply.status_code == 200
            async for _ in reply.aiter_raw():
                assert server.playing == 1

    await until_nobody_listens(server)


async def test_hang_sends_no_headers(client: httpx2.AsyncClient, server: DemoServer) -> None:
    body = question("openai", "/fault hang")
    limits = httpx2.Timeout(5, read=0.2)

    with pytest.raises(httpx2.ReadTimeout):
        await client.post(url(server, "openai"), json=body, timeout=limits)

    await until_nobody_listens(server)


async def test_reset_gives_no_response(client: httpx2.AsyncClient, server: DemoServer) -> None:
    with pytest.raises(httpx2.NetworkError):
        await ask(client, server, "openai", "/fault reset")


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_redirect_sends_the_client_elsewhere(
    client: httpx2.AsyncClient, server: DemoServer, protocol: str
) -> None:
    response = await ask(client, server, protocol, "/fault redirect")

    assert (response.status_code, response.headers["location"]) == (307, "/elsewhere")


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_html_is_a_page_instead_of_an_answer(
    client: httpx2.AsyncClient, server: DemoServer, protocol: str
) -> None:
    response = await ask(client, server, protocol, "/fault html")

    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/html")
    assert response.text.startswith("<!doctype html>")


@pytest.mark.parametrize("protocol", EVENT_STREAMS)
async def test_empty_is_an_event_stream_without_a_byte(
    client: httpx2.AsyncClient, server: DemoServer, protocol: str
) -> None:
    response = await ask(client, server, protocol, "/fault empty")

    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.content == b""


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_whole_ignores_the_wish_to_be_streamed(
    client: httpx2.AsyncClient, server: DemoServer, protocol: str
) -> None:
    response = await ask(client, server, protocol, "/fault whole")

    assert response.headers["content-type"].startswith("application/json")
    assert "You asked for the fault" in response.text


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_split_utf8_ends_writes_inside_characters(
    client: httpx2.AsyncClient, server: DemoServer, protocol: str
) -> None:
    body = question(protocol, "/fault split-utf8 /delay 0 /pace 1000")
    writes = []

    async with client.stream("POST", url(server, protocol), json=body) as response:
        async for data in response.aiter_raw():
            writes.append(data)

    assert any(not _is_whole(data) for data in writes)
    assert "言葉は一つずつ届きます" in told(protocol, b"".join(writes).decode()).text


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_gzip_is_compressed_and_flushed_after_every_write(
    client: httpx2.AsyncClient, server: DemoServer, protocol: str
) -> None:
    body = question(protocol, "/fault gzip /delay 0 /pace 1000")
    pieces = []

    async with client.stream("POST", url(server, protocol), json=body) as response:
        async for text in response.aiter_text():
            pieces.append(text)

    assert response.headers["content-encoding"] == "gzip"
    assert len(pieces) > 1
    assert "You asked for the fault" in told(protocol, "".join(pieces)).text


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_error_comes_after_text_in_the_protocol_s_own_shape(
    client: httpx2.AsyncClient, server: DemoServer, protocol: str
) -> None:
    said = await tell(client, server, protocol, "/fault error")

    expected = None if protocol == "truss" else "The model raised an exception (scripted fault)."
    assert (said.error, said.finish) == (expected, None)
    assert "You asked for the fault" in said.text


@pytest.mark.parametrize("protocol", MARKED)
async def test_json_breaks_in_mid_answer(
    client: httpx2.AsyncClient, server: DemoServer, protocol: str
) -> None:
    response = await ask(client, server, protocol, "/fault json")

    with pytest.raises(ValueError, match="Unterminated string"):
        told(protocol, response.text)
    assert len(events(response.text)) > 20


async def test_refusal_has_a_channel_of_its_own_in_openai(
    client: httpx2.AsyncClient, server: DemoServer
) -> None:
    said = await tell(client, server, "openai", "/fault refusal")

    assert said.refusal.startswith("I must decline")
    assert (said.text, said.finish) == ("", "stop")


@pytest.mark.parametrize(
    ("fault", "protocol", "finish"),
    [
        ("refusal", "anthropic", "refusal"),
        ("filter", "openai", "content_filter"),
        ("filter", "anthropic", "refusal"),
        ("length", "openai", "length"),
        ("length", "anthropic", "max_tokens"),
        ("slow-first", "openai", "stop"),
        ("bursts", "openai", "stop"),
    ],
)
async def test_an_odd_answer_ends_with_its_reason(
    client: httpx2.AsyncClient, server: DemoServer, fault: str, protocol: str, finish: str
) -> None:
    said = await tell(client, server, protocol, f"/fault {fault}")

    assert said.text
    assert (said.finish, said.is_ended) == (finish, True)


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_endless_ends_when_the_client_leaves(
    client: httpx2.AsyncClient, server: DemoServer, protocol: str
) -> None:
    body = question(protocol, "/fault endless /delay 0 /pace max")
    arrived = 0

    async with client.stream("POST", url(server, protocol), json=body) as response:
        async for data in response.aiter_raw():
            arrived += len(data)
            if arrived > 2_000_000:
                break

    await until_nobody_listens(server)


async def test_a_long_answer_breaks_half_way(
    client: httpx2.AsyncClient, server: DemoServer
) -> None:
    whole = await tell(client, server, "truss", "/tokens 1000")
    half = await tell(client, server, "truss", "/tokens 1000 /fault cut")

    assert 0.3 < len(half.text) / len(whole.text) < 0.7


async def test_a_fault_does_not_disturb_its_neighbours(
    client: httpx2.AsyncClient, server: DemoServer
) -> None:
    prompts = ["/fault abort", "/fault 500", "/echo fine", "/fault reset", "/fault cut"]

    answers = await asyncio.gather(
        *(ask(client, server, "truss", prompt) for prompt in prompts), return_exceptions=True
    )

    assert isinstance(answers[2], httpx2.Response)
    assert answers[2].text == "fine"


def _is_whole(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
