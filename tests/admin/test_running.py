"""The live page: every running reply of every process, without its text, and a Cancel for each."""

import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from html import unescape

import pytest
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.contrib.auth.models import User
from django.test import AsyncClient
from django.utils import timezone

from chatapp import sockets
from chatapp.asgi import application
from chatapp.database import read
from chatapp.generation import registry
from chatapp.generation.rows import lease
from chatapp.models import AuditEvent, Conversation, Endpoint, Message, Status
from tests.admin.test_operations import client_of, page
from tests.tab import NOBODYS_ID, WAIT_S, Tab

TabOf = Callable[..., Tab]
HEADERS = [(b"host", b"testserver"), (b"origin", b"http://testserver")]


@pytest.fixture
async def operator(alice: User) -> AsyncClient:
    return await client_of("olga", "operate")


@pytest.fixture
async def elsewhere(conversation: Conversation) -> Message:
    """A reply that some other process is writing."""
    begun = timezone.now() - timedelta(seconds=75)
    return await Message.objects.acreate(
        conversation=conversation,
        role="assistant",
        status=Status.STREAMING,
        text="Nobody's business",
        endpoint_name="far",
        model="big-1",
        owner="elsewhere:12:abcd",
        lease_until=lease(),
        asked_at=begun,
        first_token_at=begun + timedelta(seconds=1),
        arrivals={"bucket_ms": 10.0, "counts": [300, 0, 42]},
    )


@asynccontextmanager
async def watching(
    client: AsyncClient | None, query: str = ""
) -> AsyncIterator[WebsocketCommunicator]:
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value if client else ""
    headers = [*HEADERS, (b"cookie", f"{settings.SESSION_COOKIE_NAME}={cookie}".encode())]
    socket = WebsocketCommunicator(application, f"/ws/admin/running/{query}", headers)
    await socket.connect(timeout=WAIT_S)
    yield socket
    await socket.disconnect(timeout=WAIT_S)


async def frame_with(socket: WebsocketCommunicator, words: str) -> str:
    while words not in (frame := await socket.receive_from(timeout=WAIT_S)):
        pass
    return str(frame)


async def closed_with(socket: WebsocketCommunicator) -> int:
    while (message := await socket.receive_output(timeout=WAIT_S))["type"] != "websocket.close":
        pass
    return int(message["code"])


async def test_a_reply_of_another_process_is_told_but_not_what_it_says(
    elsewhere: Message, operator: AsyncClient
) -> None:
    html = await page(operator, "/admin/running/")

    for words in ("alice", "far", "big-1", "elsewhere:12", "1:1", "342", "1 reply is running"):
        assert words in html
    assert "business" not in html and "abcd" not in html


async def test_what_the_page_shows_later_is_in_its_language_too(
    elsewhere: Message, operator: AsyncClient
) -> None:
    answer = await operator.get("/admin/running/", headers={"accept-language": "de"})
    query = re.findall(r'"/ws/admin/running/(.*?)"', answer.content.decode())[0]
    async with watching(operator, unescape(query)) as socket:
        await frame_with(socket, "1 Antwort läuft")

    assert "1 Antwort läuft" in answer.content.decode()


async def test_cancel_ends_a_reply_here_and_its_person_sees_it_stopped(
    alice: User, endpoint: Endpoint, operator: AsyncClient, tab_of: TabOf
) -> None:
    async with tab_of(alice) as tab:
        await tab.say("/tokens 5000 /pace 50")
        await tab.until(lambda page: page.part("text"))
        (reply_id,) = registry.running()

        answer = await operator.post("/admin/running/cancel/", {"message": str(reply_id)})
        shown = await tab.until(lambda page: page.status == "stopped")

    assert answer.status_code == 302
    assert "Stopped" in shown.reply.text
    noted = await AuditEvent.objects.aget()
    assert (noted.actor_name, noted.action, noted.object_id) == ("olga", "cancel", str(reply_id))
    assert noted.detail == {"person": "alice", "endpoint": "scripted", "model": "scripted"}
    text = (await Message.objects.aget(pk=reply_id)).text
    assert text and text[:10] not in json.dumps([noted.object_name, noted.detail])


async def test_cancel_asks_the_process_that_makes_the_reply(
    elsewhere: Message, operator: AsyncClient
) -> None:
    answer = await operator.post(
        "/admin/running/cancel/", {"message": str(elsewhere.pk)}, headers={"HX-Request": "true"}
    )

    await elsewhere.arefresh_from_db()
    assert elsewhere.stop_requested_at is not None
    assert "The reply to alice is being stopped." in answer.content.decode()
    assert "stopping…" in await page(operator, "/admin/running/")


@pytest.mark.parametrize("named", ["", "nonsense", NOBODYS_ID, "ended"])
async def test_what_does_not_run_is_not_cancelled(
    named: str, elsewhere: Message, operator: AsyncClient
) -> None:
    if named == "ended":
        await Message.objects.aupdate(status=Status.COMPLETE)
        named = str(elsewhere.pk)

    answer = await operator.post("/admin/running/cancel/", {"message": named}, follow=True)

    assert "That reply had ended already." in answer.content.decode()
    assert not await AuditEvent.objects.aexists()


async def test_only_those_who_may_operate_cancel(elsewhere: Message, browser: AsyncClient) -> None:
    auditor = await client_of("ada", "view_healthfigure")

    answers = [
        await client.post("/admin/running/cancel/", {"message": str(elsewhere.pk)})
        for client in (browser, auditor, AsyncClient())
    ]

    await elsewhere.arefresh_from_db()
    assert [answer.status_code for answer in answers] == [302, 403, 302]
    assert elsewhere.stop_requested_at is None


async def test_the_table_follows_by_itself(
    alice: User, endpoint: Endpoint, operator: AsyncClient, tab_of: TabOf
) -> None:
    async with watching(operator) as socket, tab_of(alice) as tab:
        await frame_with(socket, "Nothing is being answered")
        await tab.say("/tokens 5000 /pace 50 secretly")
        frame = await frame_with(socket, "1 reply is running")
        assert 'hx-target="#running"' in frame and "secretly" not in frame

        await registry.stop(next(iter(registry.running())))
        await frame_with(socket, "Nothing is being answered")


async def test_five_hundred_replies_make_no_large_frame(alice: User, operator: AsyncClient) -> None:
    await read(_five_hundred, alice)

    async with watching(operator, "?endpoint=far") as socket:
        frame = await frame_with(socket, "500 replies are running")

    assert frame.count("<tr") == 101
    assert "150 more" in frame
    assert len(frame) < 100_000


def _five_hundred(alice: User) -> None:
    talks = Conversation.objects.bulk_create(Conversation(owner=alice) for _ in range(500))
    Message.objects.bulk_create(
        Message(
            conversation=talk,
            role="assistant",
            status=Status.STREAMING,
            endpoint_name="far" if number % 2 else "near",
            owner="elsewhere:12:abcd",
            lease_until=timezone.now() + timedelta(minutes=1),
        )
        for number, talk in enumerate(talks)
    )


async def test_a_socket_without_the_right_is_told_so_and_closed(
    alice: User, browser: AsyncClient
) -> None:
    async with watching(browser) as socket:
        await frame_with(socket, "You have no right to watch running replies.")
        assert await closed_with(socket) == sockets.NOT_FOUND
    async with watching(None) as socket:
        assert await closed_with(socket) == sockets.SIGNED_OUT


async def test_who_loses_the_right_is_told_at_the_next_check(
    operator: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "SESSION_CHECK_S", 0.0)
    async with watching(operator) as socket:
        await frame_with(socket, "Nothing is being answered")
        await User.objects.filter(username="olga").aupdate(is_staff=False)

        await frame_with(socket, "You have no right to watch running replies.")
        assert await closed_with(socket) == sockets.NOT_FOUND


async def test_what_a_page_sends_there_closes_its_socket(operator: AsyncClient) -> None:
    async with watching(operator) as socket:
        await socket.send_to(text_data="{}")
        assert await closed_with(socket) == sockets.TOO_MANY


async def test_ages_are_never_negative(elsewhere: Message, operator: AsyncClient) -> None:
    later = timezone.now() + timedelta(hours=1)
    await Message.objects.aupdate(asked_at=later, first_token_at=later)

    html = await page(operator, "/admin/running/")

    assert ">0 s<" in html
