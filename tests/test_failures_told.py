"""Why a reply failed is told in the language of whoever asked, the upstream's words as they are."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import AsyncClient

from chatapp import failpoints
from chatapp.generation import registry
from chatapp.models import Conversation, Endpoint, Message, Queued, Role
from chatapp.upstream.http import close_client
from tests.tab import Tab
from tests.upstream.scripted import DONE, TOKEN, Peer, Script, answering, upstream

TabOf = Callable[..., Tab]
FailingOf = Callable[..., Awaitable[Endpoint]]

GERMAN = {"accept-language": "de"}
PAGE = answering(b"<html><title>Log in</title>", "text/html")


async def cut(peer: Peer) -> None:
    await peer.begin()
    await peer.chunk(TOKEN)
    peer.writer.close()


async def stalling(peer: Peer) -> None:
    await peer.begin()
    await peer.chunk(TOKEN)
    await peer.until_closed()


async def redirecting(peer: Peer) -> None:
    await peer.respond(307, b"", "Location: /elsewhere\r\n")


async def refusing(peer: Peer) -> None:
    error = {"error": {"message": "The endpoint's answer was empty."}}
    await peer.respond(400, json.dumps(error).encode())


@pytest.fixture
async def failing(transactional_db: None) -> AsyncIterator[FailingOf]:
    """`failing(script, **limits)`: the one endpoint that there is, which does what is scripted."""
    async with AsyncExitStack() as servers:

        async def make(script: Script, **fields: Any) -> Endpoint:
            server = await servers.enter_async_context(upstream(script))
            return await endpoint_at(server.port, **fields)

        yield make
        await registry.drain(0)
        await close_client()


async def endpoint_at(port: int, **fields: Any) -> Endpoint:
    url = f"http://127.0.0.1:{port}/v1"
    return await Endpoint.objects.acreate(name="failing", protocol="openai", url=url, **fields)


async def ended() -> Message:
    """The reply that was asked for last, once its final row is written."""
    async with asyncio.timeout(30):
        while True:
            reply = await Message.objects.filter(role=Role.ASSISTANT).order_by("asked_at").alast()
            if reply is not None and not reply.is_live:
                return reply
            await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("script", "limits", "german", "english"),
    [
        (
            PAGE,
            {},
            "Der Endpunkt hat mit einer Webseite (200) geantwortet: Log in",
            "The endpoint answered with a web page (200): Log in",
        ),
        (
            Peer.until_closed,
            {"first_byte_timeout_s": 0.1},
            "Keine Antwort innerhalb von 0,1 s.",
            "No answer within 0.1 s.",
        ),
        (stalling, {"silence_timeout_s": 0.1}, "0,1 s lang kam nichts.", "Nothing came for 0.1 s."),
        (
            stalling,
            {"total_timeout_s": 0.5},
            "Die Antwort dauerte länger als 0,5 s.",
            "The answer took longer than 0.5 s.",
        ),
        (cut, {}, "Die Verbindung zu {host} ist abgebrochen.", "The connection to {host} broke."),
        (
            answering(TOKEN),
            {},
            "Die Antwort des Endpunkts hörte ohne Endmarke auf.",
            "The endpoint's answer stopped without an end marker.",
        ),
        (
            redirecting,
            {},
            "Der Endpunkt leitet weiter (307) zu /elsewhere; Weiterleitungen wird nicht gefolgt.",
            "The endpoint redirects (307) to /elsewhere; redirects are not followed.",
        ),
        (refusing, {}, "The endpoint's answer was empty.", "The endpoint's answer was empty."),
    ],
    ids=["page", "no answer", "silence", "overrun", "cut", "unmarked", "redirect", "own words"],
)
async def test_a_failure_is_kept_and_shown_in_the_askers_language(
    script: Script,
    limits: dict[str, float],
    german: str,
    english: str,
    alice: User,
    failing: FailingOf,
    tab_of: TabOf,
) -> None:
    endpoint = await failing(script, **limits)
    host = endpoint.url.split("/")[2]

    for language, words in (("de", german), ("en", english)):
        conversation = await Conversation.objects.acreate(owner=alice)
        async with tab_of(alice, conversation.pk, language=language) as tab:
            await tab.say("hi")
            await tab.until(lambda page: page.status in ("error", "incomplete"))

        assert (await ended()).error_message == words.format(host=host)
        assert words.format(host=host) in tab.page.articles[-1].text


async def test_what_is_sent_by_the_form_fails_in_the_askers_language(
    browser: AsyncClient, transactional_db: None
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    await endpoint_at(port)
    address = f"/c/{uuid4()}/"

    values = {"text": "hi", "key": str(uuid4())}
    await browser.post(f"{address}messages/", values, headers=GERMAN)
    reply = await ended()
    page = await browser.get(address, headers=GERMAN)
    await close_client()

    assert reply.error_message == f"Die Verbindung zu 127.0.0.1:{port} wurde abgelehnt."
    assert reply.error_message in page.content.decode()


async def test_our_own_failure_is_told_in_the_askers_language_and_the_log_is_english(
    alice: User,
    failing: FailingOf,
    tab_of: TabOf,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setitem(failpoints._armed, "reply.called", ("burst", 0.0))
    await failing(answering(DONE))

    async with tab_of(alice, language="de") as tab:
        await tab.say("hi")
        await tab.until(lambda page: page.status == "error")

    assert (await ended()).error_message == (
        "chatapp selbst ist gescheitert; Näheres steht im Log."
    )
    assert f"generation of reply {(await ended()).pk} failed" in caplog.text


async def test_what_waited_fails_in_the_askers_language_too(
    alice: User, failing: FailingOf, tab_of: TabOf
) -> None:
    may_end = asyncio.Event()

    async def script(peer: Peer) -> None:
        if peer.number:
            await PAGE(peer)
            return
        await peer.begin()
        await peer.chunk(TOKEN)
        await may_end.wait()
        await peer.chunk(DONE)
        await peer.chunk(b"")

    await failing(script, options={"titles": False})
    async with tab_of(alice, language="de") as tab:
        await tab.say("one")
        await tab.until(lambda page: page.status == "streaming")
        await tab.send(action="queue", text="two", key=str(uuid4()))
        await tab.until(lambda page: "two" in page.root.by_id("queue").text)
        may_end.set()
        await tab.until(lambda page: page.status == "error")

    assert (await ended()).error_message.startswith("Der Endpunkt hat mit einer Webseite (200)")


async def test_what_another_process_sends_fails_in_english(
    alice: User, conversation: Conversation, failing: FailingOf
) -> None:
    """It does not know what the person speaks."""
    await failing(PAGE)
    await Queued.objects.acreate(conversation=conversation, key=uuid4(), text="hi", is_urgent=True)

    await registry.send_queued(conversation.pk)

    assert (await ended()).error_message.startswith("The endpoint answered with a web page")
