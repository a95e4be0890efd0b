"""A reply that another process makes, read along from its row."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from chatapp.database import write
from chatapp.failpoints import armed
from chatapp.generation import hints, mirrors
from chatapp.generation.rows import (
    Snapshot,
    checkpoint,
    finish,
    interrupt_abandoned,
    lease,
    request_stop,
)
from chatapp.limits.counters import Reservation
from chatapp.models import Conversation, Message, SearchEntry, Status, Usage
from tests.dom import Page
from tests.test_socket import TabOf

ELSEWHERE = "elsewhere:1:abcd"


@pytest.fixture
async def reply(conversation: Conversation) -> Message:
    """A reply that some other process has begun."""
    prompt = await Message.objects.acreate(conversation=conversation, role="user", text="Why?")
    reply = await Message.objects.acreate(
        conversation=conversation,
        parent=prompt,
        role="assistant",
        status=Status.STREAMING,
        text="Because",
        owner=ELSEWHERE,
        lease_until=lease(),
    )
    await reply.arefresh_from_db()
    return reply


def shown(page: Page) -> str:
    return page.part("text").strip()


async def change(reply: Message, **fields: Any) -> None:
    await Message.objects.filter(pk=reply.pk).aupdate(**fields)


async def test_a_page_grows_with_the_row_and_ends_with_it(
    alice: User, reply: Message, tab_of: TabOf
) -> None:
    async with tab_of(alice) as tab:
        await tab.until(lambda page: shown(page) == "Because")
        assert (tab.page.status, tab.page.buttons) == ("streaming", ["Stop"])

        await change(reply, text="Because **the** ☀️ shines", reasoning="Hm.")
        await tab.until(lambda page: shown(page) == "Because the ☀️ shines")
        assert "Hm." in tab.page.part("reasoning")

        await change(reply, text="Because **the** ☀️ shines.", status=Status.COMPLETE)
        await tab.until(lambda page: page.status == "complete" and page.buttons == ["Send"])
        assert shown(tab.page) == "Because the ☀️ shines."


async def test_a_row_that_ends_before_its_mirror_knows_is_shown_whole(
    alice: User, reply: Message, tab_of: TabOf
) -> None:
    """The last characters could still have become a closing fence, and are held back till then."""
    async with tab_of(alice) as tab:
        await change(reply, text="Because\n\n~~~\ncode\n~~")
        await tab.until(lambda page: "code" in shown(page))
        assert "~" not in shown(tab.page)

        await change(reply, status=Status.COMPLETE)
        hints.notify(reply.conversation_id, turns_changed=True)
        await tab.until(lambda page: page.status == "complete")
        assert shown(tab.page).endswith("~~")


async def test_what_is_read_twice_is_shown_once(reply: Message) -> None:
    mirror = mirrors.Mirror(reply)
    await change(reply, text="Because it is")
    await mirror.read_row()
    await mirror.read_row()

    assert mirror.log.texts()["text"] == "Because it is"
    assert not mirror.is_saved


async def test_a_deleted_reply_ends_its_mirror(reply: Message) -> None:
    mirror = mirrors.Mirror(reply)
    await Conversation.objects.all().adelete()
    await mirror.read_row()

    assert mirror.is_saved


async def test_a_mirror_goes_when_nobody_reads(alice: User, reply: Message, tab_of: TabOf) -> None:
    async with tab_of(alice) as tab, tab_of(alice) as other:
        await tab.until(lambda page: shown(page) == "Because")
        await other.until(lambda page: shown(page) == "Because")
        assert mirrors.followed() == 1

    async with asyncio.timeout(30):
        while mirrors.followed():
            await asyncio.sleep(0.02)


async def test_stop_reaches_the_row_of_another_process(
    alice: User, reply: Message, tab_of: TabOf
) -> None:
    async with tab_of(alice) as tab:
        await tab.until(lambda page: page.buttons == ["Stop"])
        await tab.send(action="stop", message=str(reply.pk))
        await tab.send(action="stop", message=str(reply.pk))
        await tab.until(lambda page: len(page.frames) > 2)

    assert await write(checkpoint, [], [reply.pk], process=ELSEWHERE) == set()


async def test_a_reply_that_ends_between_rows_and_logs_is_shown_ended(
    alice: User, reply: Message, tab_of: TabOf
) -> None:
    with armed("rows.read", "sleep:0.3"):
        async with tab_of(alice) as tab:
            await change(reply, status=Status.STOPPED, text="Because not")
            hints.notify(reply.conversation_id, turns_changed=True)
            await tab.until(lambda page: page.status == "stopped")
            assert shown(tab.page) == "Because not"


async def test_a_lease_keeps_a_reply_and_its_end_interrupts_it(reply: Message) -> None:
    assert await write(interrupt_abandoned, set()) == set()

    await change(reply, lease_until=timezone.now() - timedelta(seconds=1))
    assert await write(interrupt_abandoned, {reply.pk}) == set(), "made here"
    assert await write(interrupt_abandoned, set()) == {reply.conversation_id}
    await reply.arefresh_from_db()
    assert (reply.status, reply.text) == (Status.INTERRUPTED, "Because")
    indexed = SearchEntry.objects.order_by("text").values_list("text", flat=True)
    assert [text async for text in indexed] == ["because", "why"]


async def test_a_checkpoint_renews_the_lease(reply: Message) -> None:
    await change(reply, lease_until=timezone.now() + timedelta(seconds=1))

    assert await write(checkpoint, [], [reply.pk], process=ELSEWHERE) == {reply.pk}

    await reply.arefresh_from_db()
    assert reply.lease_until is not None
    assert reply.lease_until > timezone.now() + timedelta(seconds=10)


async def test_an_owner_that_was_taken_for_dead_writes_nothing(alice: User, reply: Message) -> None:
    await change(reply, lease_until=None)
    await write(interrupt_abandoned, set())
    grown = {"status": Status.STREAMING, "text": "Because I am back", "arrivals": {}}
    ended = grown | {"status": Status.COMPLETE}
    snapshots = [Snapshot(reply.pk, reply.conversation_id, fields) for fields in (grown, ended)]

    assert await write(checkpoint, snapshots[:1], [reply.pk], process=ELSEWHERE) == set()
    late = Reservation(alice.pk, 0, None)
    await write(finish, snapshots[1], late, 5, process=ELSEWHERE)

    await reply.arefresh_from_db()
    assert (await Usage.objects.aget()).month_tokens == 0
    assert (reply.status, reply.text) == (Status.INTERRUPTED, "Because")


async def test_a_reply_goes_on_only_for_a_person_who_may_chat(alice: User, reply: Message) -> None:
    alice.is_active = False
    await alice.asave()

    assert await write(checkpoint, [], [reply.pk], process=ELSEWHERE) == set()


async def test_a_stop_is_asked_for_once(reply: Message) -> None:
    await write(request_stop, reply.pk)
    await reply.arefresh_from_db()
    first = reply.stop_requested_at
    await write(request_stop, reply.pk)
    await reply.arefresh_from_db()

    assert first is not None and reply.stop_requested_at == first
