"""A clock that was ten minutes ahead and is set right: what it made, and what comes after."""

import uuid
from datetime import timedelta
from unittest.mock import patch

import pytest
from django.contrib.auth.models import User
from django.db.models import F
from django.utils import timezone

from chatapp.database import write
from chatapp.generation import queue
from chatapp.generation.rows import LEASE_S, interrupt_abandoned, lease
from chatapp.generation.turns import Sending
from chatapp.models import Conversation, Endpoint, Message, Queued, Status
from tests.library.test_curation import edit
from tests.tab import Tab
from tests.test_socket import TabOf

AHEAD = timedelta(minutes=10)


async def said_ahead(tab: Tab) -> Message:
    """One exchange by the clock that was ahead; its reply."""
    await tab.say("/echo one")
    await tab.until(lambda page: page.status == "complete")
    times = ("asked_at", "chosen_at", "finished_at")
    await Message.objects.aupdate(**{name: F(name) + AHEAD for name in times})
    return await Message.objects.aget(role="assistant")


async def regenerate(tab: Tab, reply: Message, versions: str) -> None:
    """Returns when the page shows so many versions, the one at hand complete."""
    await tab.send(action="regenerate", message=str(reply.pk))
    await tab.until(lambda page: versions in page.reply.text and page.status == "complete")


async def test_what_is_asked_after_it_is_shown(
    alice: User, endpoint: Endpoint, tab_of: TabOf
) -> None:
    async with tab_of(alice) as tab:
        reply = await said_ahead(tab)
        await regenerate(tab, reply, "/2")
        assert str(reply.pk) not in tab.page.reply.attributes["id"]
        await edit(tab, "/echo two")
        await tab.until(lambda page: page.part("text").strip() == "two")

        await tab.send(action="choose", message=str(reply.pk))
        await tab.until(lambda page: page.part("text").strip() == "one")


async def test_a_version_that_was_asked_by_it_is_no_double_click(
    alice: User, endpoint: Endpoint, tab_of: TabOf
) -> None:
    async with tab_of(alice) as tab:
        reply = await said_ahead(tab)
        await regenerate(tab, reply, "/2")
        await Message.objects.aupdate(asked_at=F("asked_at") + AHEAD)

        await regenerate(tab, reply, "/3")


async def test_what_waits_keeps_its_order(
    alice: User, conversation: Conversation, endpoint: Endpoint
) -> None:
    def wait(text: str) -> None:
        queue.enqueue(alice, Sending(conversation.pk, text, uuid.uuid4()))

    await write(wait, "one")
    await Queued.objects.aupdate(asked_at=F("asked_at") + AHEAD)
    await write(wait, "two")

    assert [queued.text async for queued in Queued.objects.all()] == ["one", "two"]


async def test_a_lease_that_was_taken_by_it_runs_out_in_time(conversation: Conversation) -> None:
    reply = await Message.objects.acreate(
        conversation=conversation,
        role="assistant",
        status=Status.STREAMING,
        owner="elsewhere:1:abcd",
        lease_until=timezone.now() + AHEAD,
    )

    assert await write(interrupt_abandoned, set()) == set()

    await reply.arefresh_from_db()
    assert reply.lease_until is not None
    assert reply.lease_until <= timezone.now() + timedelta(seconds=LEASE_S)
    await Message.objects.aupdate(lease_until=timezone.now() - timedelta(seconds=1))
    assert await write(interrupt_abandoned, set()) == {conversation.pk}


@pytest.mark.parametrize("minutes", [-10, 10])
async def test_leases_go_by_the_databases_clock(conversation: Conversation, minutes: int) -> None:
    """However wrong the clock of a process is, it takes nobody for dead who lives."""
    await Message.objects.acreate(
        conversation=conversation,
        role="assistant",
        status=Status.STREAMING,
        owner="elsewhere:1:abcd",
        lease_until=lease(),
    )
    wrong = timezone.now() + timedelta(minutes=minutes)

    with patch("django.utils.timezone.now", return_value=wrong):
        assert await write(interrupt_abandoned, set()) == set()

    reply = await Message.objects.aget()
    assert reply.status == Status.STREAMING and reply.lease_until is not None
    assert reply.lease_until < timezone.now() + timedelta(seconds=LEASE_S + 1)
