"""The socket: what a person sends, what every tab of theirs then shows."""

import asyncio
import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import OperationalError
from django.test import AsyncClient

from chatapp import consumers, places
from chatapp.generation import bus, hints
from chatapp.models import Conversation, Endpoint, Message, Status, conversation_for
from tests.dom import ended
from tests.tab import NOBODYS_ID, Tab

TabOf = Callable[..., Tab]


async def test_a_message_streams_to_its_end(
    alice: User, conversation: Conversation, endpoint: Endpoint, tab_of: TabOf
) -> None:
    async with tab_of(alice) as tab:
        await tab.say("/echo one **two** three")
        page = await tab.until(lambda page: page.status == "complete")

    reply = await Message.objects.aget(role="assistant")
    assert page.prompts == ["/echo one **two** three"]
    assert page.part("text").strip() == "one two three"
    assert reply.text == "one **two** three"
    assert reply.status == Status.COMPLETE
    assert reply.finish_reason == "stop"


async def test_every_time_of_a_reply_is_kept(
    alice: User, endpoint: Endpoint, tab_of: TabOf
) -> None:
    async with tab_of(alice) as tab:
        await tab.say("/pace max /tokens 40")
        await tab.until(lambda page: page.status == "complete")

    reply = await Message.objects.aget(role="assistant")
    times = [
        reply.asked_at,
        reply.request_sent_at,
        reply.headers_at,
        reply.first_token_at,
        reply.last_token_at,
        reply.finished_at,
    ]
    assert times == sorted(times)
    assert sum(reply.arrivals["counts"]) > 0
    assert reply.output_tokens is not None


async def test_the_box_is_emptied_only_by_the_echo_to_the_tab_that_sent(
    alice: User, endpoint: Endpoint, tab_of: TabOf
) -> None:
    async with tab_of(alice) as sender, tab_of(alice) as reader:
        await sender.say("/echo hi")
        await sender.until(lambda page: page.status == "complete")
        await reader.until(lambda page: page.status == "complete")

    assert any('hx-target="#key"' in frame for frame in sender.page.frames)
    assert not any('hx-target="#key"' in frame for frame in reader.page.frames)
    assert reader.page.prompts == ["/echo hi"]


async def test_a_second_tab_in_mid_stream_shows_the_whole_text(
    alice: User, endpoint: Endpoint, tab_of: TabOf
) -> None:
    async with tab_of(alice) as first:
        await first.say("/tokens 120 /pace 100 /delay 0")
        await first.until(lambda page: len(page.part("text")) > 60)
        async with tab_of(alice) as second:
            await second.until(lambda page: page.status == "complete")
        await first.until(lambda page: page.status == "complete")

    assert second.page.part("text").split() == first.page.part("text").split()


async def test_reading_on_after_a_drop_needs_no_memory_of_the_client(
    alice: User, endpoint: Endpoint, tab_of: TabOf
) -> None:
    async with tab_of(alice) as first:
        await first.say("/tokens 100 /pace 200 /delay 0")
        await first.until(lambda page: page.part("text"))
    for _ in range(5):
        async with tab_of(alice) as again:
            await again.until(lambda page: page.part("text"))
    async with tab_of(alice) as last:
        await last.until(lambda page: page.status == "complete")

    reply = await Message.objects.aget(role="assistant")
    async with tab_of(alice) as later:
        await later.until(lambda page: page.status == "complete")
    assert reply.status == Status.COMPLETE
    assert last.page.part("text").split() == later.page.part("text").split()


async def test_stop_keeps_the_text_that_arrived(
    alice: User, endpoint: Endpoint, tab_of: TabOf
) -> None:
    async with tab_of(alice) as tab:
        await tab.say("/tokens 5000 /pace 100 /delay 0")
        await tab.until(lambda page: len(page.part("text").strip()) > 30)
        reply = await Message.objects.aget(role="assistant")
        await tab.send(action="stop", message=str(reply.pk))
        await tab.until(lambda page: page.status == "stopped" and page.buttons == ["Send"])

    await reply.arefresh_from_db()
    assert reply.status == Status.STOPPED
    assert len(reply.text) > 20
    assert reply.stop_requested_at is not None


async def test_stop_works_before_the_first_token(
    alice: User, endpoint: Endpoint, tab_of: TabOf
) -> None:
    async with tab_of(alice) as tab:
        await tab.say("/fault hang")
        await tab.until(lambda page: page.buttons == ["Stop"])
        reply = await Message.objects.aget(role="assistant")
        await tab.send(action="stop", message=str(reply.pk))
        await tab.until(lambda page: page.status == "stopped" and page.buttons == ["Send"])


async def test_an_error_shows_the_upstreams_own_words_and_can_be_retried(
    alice: User, endpoint: Endpoint, tab_of: TabOf
) -> None:
    async with tab_of(alice) as tab:
        await tab.say("/fault 401")
        page = await tab.until(lambda page: page.status == "error")
        reply = await Message.objects.aget(role="assistant")
        words = page.reply.text
        await tab.send(action="retry", message=str(reply.pk))
        await tab.send(action="retry", message=str(reply.pk))
        await tab.until(lambda page: str(reply.pk) not in page.reply.attributes["id"])
        await tab.until(lambda page: page.status == "error")

    assert "HTTP 401" in words and "Retry" in words and reply.error_message in words
    assert await Message.objects.filter(role="assistant").acount() == 2
    assert len(tab.page.articles) == 2


async def test_a_retried_reply_disappears_from_the_history_of_the_page_too(
    alice: User, endpoint: Endpoint, tab_of: TabOf
) -> None:
    async with tab_of(alice) as tab:
        await tab.say("/fault 500")
        await tab.until(lambda page: page.status == "error")
    failed = await Message.objects.aget(role="assistant")
    async with tab_of(alice, after=str(failed.pk)) as later:
        await later.send(action="retry", message=str(failed.pk))
        await later.until(lambda page: page.status == "error")

    assert any(f'"#message-{failed.pk}" hx-swap="delete"' in f for f in later.page.frames)


async def test_the_same_key_twice_asks_once(alice: User, endpoint: Endpoint, tab_of: TabOf) -> None:
    key = str(uuid.uuid4())
    async with tab_of(alice) as tab:
        for _ in range(5):
            await tab.say("/echo once", key=key)
        await tab.until(lambda page: page.status == "complete")

    assert await Message.objects.filter(role="user").acount() == 1
    assert await Message.objects.filter(role="assistant").acount() == 1


async def test_other_text_from_the_same_form_is_another_message(
    alice: User, endpoint: Endpoint, tab_of: TabOf
) -> None:
    key = str(uuid.uuid4())
    async with tab_of(alice) as tab:
        await tab.say("/echo one", key=key)
        await tab.until(lambda page: page.status == "complete")
        await tab.say("/echo two", key=key)
        page = await tab.until(lambda page: page.part("text").strip() == "two")

    assert page.prompts == ["/echo one", "/echo two"]


async def test_any_reply_can_be_made_anew_and_on_another_endpoint_too(
    alice: User, endpoint: Endpoint, tab_of: TabOf
) -> None:
    other = await Endpoint.objects.acreate(
        name="other", protocol="truss", url=endpoint.url.replace("/openai/v1", "/nowhere")
    )
    async with tab_of(alice) as tab:
        await tab.say("/echo one", endpoint=str(endpoint.pk))
        await tab.until(lambda page: page.status == "complete")
        early = await Message.objects.aget(role="assistant")
        await tab.say("/echo two")
        await tab.until(lambda page: len(page.articles) == 4 and page.status == "complete")
        await tab.send(action="retry", message=str(early.pk), endpoint=str(other.pk))
        await tab.until(lambda page: "other" in page.reply.text and page.status == "error")

    assert tab.page.prompts == ["/echo one"], "what followed belongs to the other version"
    assert "2/2" in tab.page.reply.text


async def test_a_deleted_endpoint_can_be_replaced(
    alice: User, endpoint: Endpoint, tab_of: TabOf
) -> None:
    async with tab_of(alice) as tab:
        await tab.say("/echo one")
        await tab.until(lambda page: page.status == "complete")
        other = await Endpoint.objects.acreate(
            name="other", protocol="openai", url=endpoint.url, position=1
        )
        await endpoint.adelete()
        await tab.say("/echo two")
        notice = (await tab.until(lambda page: page.notice)).notice
        await tab.say("/echo two", endpoint=str(other.pk))
        await tab.until(lambda page: page.part("text").strip() == "two")

    assert "no longer exists" in notice


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("http://127.0.0.1:9/v1", "network"),
        ("https://nosuch.invalid/v1", "network"),
        ("http://169.254.169.254/v1", "not_found"),
    ],
)
async def test_an_endpoint_that_cannot_be_reached_is_an_error_with_retry(
    url: str, kind: str, alice: User, endpoint: Endpoint, tab_of: TabOf
) -> None:
    gone = await Endpoint.objects.acreate(name="gone", protocol="openai", url=url)
    async with tab_of(alice) as tab:
        await tab.say("hi", endpoint=str(gone.pk))
        page = await tab.until(lambda page: page.status == "error")

    assert f"Kind: {kind}" in page.reply.text and "Retry" in page.reply.text


async def test_stop_against_finish_ends_in_one_status(
    alice: User, endpoint: Endpoint, tab_of: TabOf
) -> None:
    async with tab_of(alice) as tab:
        for count in range(8):
            await tab.say(f"/tokens {10 + count} /pace 400 /delay 0")
            await tab.until(lambda page, asked=count + 1: len(page.prompts) == asked)
            reply = await Message.objects.filter(role="assistant").alatest("asked_at")
            await asyncio.sleep(0.005 * count)
            await tab.send(action="stop", message=str(reply.pk))
            await tab.send(action="stop", message=str(reply.pk))
            await tab.until(ended)
            await reply.arefresh_from_db()
            assert reply.status in (Status.COMPLETE, Status.STOPPED)
            assert tab.page.status == reply.status


async def test_sending_while_a_reply_runs_is_refused_and_nothing_is_lost(
    alice: User, endpoint: Endpoint, tab_of: TabOf
) -> None:
    async with tab_of(alice) as first, tab_of(alice) as second:
        await first.say("/tokens 5000 /pace 50")
        await second.until(lambda page: page.buttons == ["Stop"])
        await second.say("me too")
        page = await second.until(lambda page: page.notice)
        reply = await Message.objects.aget(role="assistant")
        await first.send(action="stop", message=str(reply.pk))
        await first.until(lambda page: page.status == "stopped")

    assert "still being written" in page.notice
    assert not any('hx-target="#key"' in frame for frame in second.page.frames)


@pytest.mark.parametrize(
    ("frame", "sentence"),
    [
        (" ", "JSON object"),
        ("{", "JSON object"),
        ("[1]", "JSON object"),
        ("null", "JSON object"),
        ("[" * 5000, "JSON object"),
        ('{"action": "dance"}', "unknown"),
        ('{"action": ["send"]}', "unknown"),
        ('{"action": "send", "text": 4, "key": "x"}', "text"),
        ('{"action": "send", "text": "hi", "key": "x"}', "id"),
        ('{"action": "send", "text": "hi", "key": ["x"]}', "id"),
        ('{"action": "stop", "message": {}}', "id"),
        (json.dumps({"action": "stop", "message": NOBODYS_ID}), "not part"),
        (json.dumps({"action": "retry", "message": NOBODYS_ID}), "not part"),
        (json.dumps({"action": "send", "text": " \n\t ", "key": NOBODYS_ID}), "empty"),
        (
            json.dumps({"action": "send", "text": "x" * 32_001, "key": NOBODYS_ID}),
            "32,000",
        ),
        (
            json.dumps({"action": "send", "text": "hi", "key": NOBODYS_ID, "endpoint": "²"}),
            "endpoint",
        ),
        (
            json.dumps({"action": "send", "text": "hi", "key": NOBODYS_ID, "endpoint": 99}),
            "no longer exists",
        ),
    ],
)
async def test_bad_frames_get_a_sentence_and_close_nothing(
    frame: str, sentence: str, alice: User, endpoint: Endpoint, tab_of: TabOf
) -> None:
    async with tab_of(alice) as tab:
        await tab.send_raw(frame)
        page = await tab.until(lambda page: page.notice)
        await tab.say("/echo still alive")
        await tab.until(lambda page: page.status == "complete")

    assert sentence in page.frames[1] + page.frames[0]
    assert tab.page.part("text").strip() == "still alive"


async def test_a_flood_is_told_and_closed_for_a_moment(alice: User, tab_of: TabOf) -> None:
    async with tab_of(alice) as tab:
        await tab.until(lambda page: page.frames)
        for _ in range(40):
            await tab.send(action="dance")
        code = await tab.until_closed()

    assert code == 4013
    assert "Too much at once" in tab.page.notice


async def test_a_disabled_endpoint_and_a_missing_key_are_named(
    alice: User, endpoint: Endpoint, tab_of: TabOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NOWHERE_API_KEY", raising=False)
    keyed = await Endpoint.objects.acreate(
        name="keyed", protocol="openai", url=endpoint.url, api_key_env="NOWHERE_API_KEY"
    )
    off = await Endpoint.objects.acreate(
        name="off", protocol="openai", url=endpoint.url, enabled=False
    )
    async with tab_of(alice) as tab:
        await tab.say("hi", endpoint=str(keyed.pk))
        missing = (await tab.until(lambda page: "NOWHERE_API_KEY" in page.notice)).notice
        await tab.say("hi", endpoint=str(off.pk))
        disabled = (await tab.until(lambda page: "disabled" in page.notice)).notice

    assert "not set" in missing and "“off”" in disabled
    assert not await Message.objects.aexists()


async def test_text_is_stored_as_it_was_typed(
    alice: User, endpoint: Endpoint, tab_of: TabOf
) -> None:
    text = "  lead\r\n\ttab <b> &amp; 日本語 🌊 \u2028 \u202e end  "
    async with tab_of(alice) as tab:
        await tab.say(text + "\ud800\0")
        await tab.until(lambda page: page.status == "complete")

    prompt = await Message.objects.aget(role="user")
    assert prompt.text == text + "\ufffd\ufffd"


# --- Who may -------------------------------------------------------------------------------------


async def test_someone_elses_conversation_looks_like_none(
    alice: User, bob: User, conversation: Conversation, tab_of: TabOf
) -> None:
    async with tab_of(bob) as foreign:
        code = await foreign.until_closed()
    async with tab_of(bob, uuid.uuid4()) as missing:
        missing_code = await missing.until_closed()

    assert code == missing_code == 4404
    assert foreign.page.notice == missing.page.notice != ""


async def test_a_signed_out_socket_is_told_and_closed(
    alice: User, conversation: Conversation, tab_of: TabOf
) -> None:
    async with Tab(conversation.pk, "no-such-session") as tab:
        code = await tab.until_closed()

    assert code == 4401
    assert "Sign in" in tab.page.notice


async def test_a_session_that_ends_is_noticed_by_the_next_frame(
    alice: User, endpoint: Endpoint, tab_of: TabOf
) -> None:
    async with tab_of(alice) as tab:
        await tab.until(lambda page: page.frames)
        await Session.objects.all().adelete()
        await tab.say("hi")
        code = await tab.until_closed()

    assert code == 4401
    assert not await Message.objects.aexists()


@pytest.mark.parametrize("end", ["signs out", "new password", "deactivated"])
@pytest.mark.parametrize("page", ["/ws/", "/ws/conversations/{}/", "/ws/admin/running/"])
@pytest.mark.parametrize("lists", [False, True])
async def test_whose_session_is_over_is_told_at_once(
    lists: bool, page: str, end: str, alice: User, conversation: Conversation
) -> None:
    await User.objects.filter(pk=alice.pk).aupdate(is_superuser=True, is_staff=True)
    await alice.arefresh_from_db()
    client = AsyncClient()
    await client.aforce_login(alice)
    key = client.cookies[settings.SESSION_COOKIE_NAME].value
    async with Tab(None, key, lists=lists, path=page.format(conversation.pk)) as tab:
        async with asyncio.timeout(30):
            while places.taken() == 0 or not places._by_person:
                await asyncio.sleep(0.01)
        async with asyncio.timeout(5):
            if end == "signs out":
                await client.post("/logout/")
            elif end == "new password":
                alice.set_password("something else")
                await alice.asave()
            else:
                alice.is_active = False
                await alice.asave()
            assert await tab.until_closed() == 4401


class Trouble:
    """A look into the database that fails the first time."""

    def __init__(self, look: Callable[..., Any]) -> None:
        self._look = look
        self._has_failed = False

    def __call__(self, *args: Any) -> Any:
        if self._has_failed:
            return self._look(*args)
        self._has_failed = True
        raise OperationalError("the connection is gone")


async def test_a_page_whose_check_failed_shows_nothing_until_it_holds(
    alice: User, bob: User, tab_of: TabOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    hers = await Conversation.objects.acreate(owner=alice)
    await Message.objects.acreate(conversation=hers, role="user", text="a secret")
    monkeypatch.setattr(consumers, "conversation_for", Trouble(conversation_for))

    async with tab_of(bob, hers.pk) as tab:
        bus.announce(hers.pk)
        assert await tab.until_closed() == 4404
        assert not tab.page.articles


async def test_a_page_whose_check_failed_is_checked_again_soon(
    alice: User, conversation: Conversation, tab_of: TabOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    await Message.objects.acreate(conversation=conversation, role="user", text="Hello")
    monkeypatch.setattr(consumers, "conversation_for", Trouble(conversation_for))

    async with tab_of(alice) as tab, asyncio.timeout(5):
        await tab.until(lambda page: page.prompts == ["Hello"])


@pytest.mark.parametrize("change", ["deactivated", "new password"])
async def test_an_account_that_changes_closes_its_sockets(
    change: str, alice: User, endpoint: Endpoint, tab_of: TabOf
) -> None:
    async with tab_of(alice) as tab:
        await tab.until(lambda page: page.frames)
        if change == "deactivated":
            alice.is_active = False
        else:
            alice.set_password("something else")
        await alice.asave()
        await tab.say("hi")

        assert await tab.until_closed() == 4401


async def test_a_message_of_another_conversation_cannot_be_stopped(
    alice: User, bob: User, endpoint: Endpoint, tab_of: TabOf
) -> None:
    theirs = await Conversation.objects.acreate(owner=bob)
    async with tab_of(alice) as tab, tab_of(bob, theirs.pk) as foreign:
        await tab.say("/tokens 300 /pace 150")
        await tab.until(lambda page: page.buttons == ["Stop"])
        reply = await Message.objects.aget(role="assistant")
        await foreign.send(action="stop", message=str(reply.pk))
        page = await foreign.until(lambda page: page.notice)
        await tab.until(lambda page: page.status == "complete")

    assert "not part of this conversation" in page.notice


async def test_a_cancelled_socket_leaves_no_follower_behind(
    alice: User, conversation: Conversation, tab_of: TabOf
) -> None:
    tab = await tab_of(alice).__aenter__()
    await tab.until(lambda page: page.frames)
    assert conversation.pk in hints.watched()

    tab.socket.future.cancel()
    async with asyncio.timeout(30):
        while conversation.pk in hints.watched():
            await asyncio.sleep(0.01)


async def test_the_upstream_is_called_by_the_process_not_by_the_socket(
    alice: User, endpoint: Endpoint, tab_of: TabOf
) -> None:
    async with tab_of(alice) as tab:
        await tab.say("/tokens 60 /pace 200")
        await tab.until(lambda page: page.buttons == ["Stop"])

    async with asyncio.timeout(30):
        while not await Message.objects.filter(status=Status.COMPLETE, role="assistant").aexists():
            await asyncio.sleep(0.02)
