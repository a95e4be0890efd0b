"""A generation lives in its process: checkpoints, final rows, a drain."""

import asyncio
import sqlite3
import uuid
from collections.abc import Callable
from functools import partial

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection
from django.utils import timezone

from chatapp.database import read, write
from chatapp.failpoints import armed
from chatapp.generation import registry, rows
from chatapp.generation.rows import interrupt_abandoned
from chatapp.generation.turns import Sending, ask, resume
from chatapp.models import Conversation, Endpoint, Message, Status
from tests.tab import Tab

TabOf = Callable[..., Tab]


async def start(user: User, conversation: Conversation, text: str) -> uuid.UUID:
    sending = Sending(conversation.pk, text, uuid.uuid4())
    call = await write(ask, user, sending, process=registry.PROCESS)
    assert call is not None
    registry.start(call)
    return call.reply_id


async def until(holds: Callable[[], bool], seconds: float = 30) -> None:
    async with asyncio.timeout(seconds):
        while not await read(holds):
            await asyncio.sleep(0.02)


async def test_text_is_in_the_database_before_the_reply_ends(
    alice: User, conversation: Conversation, endpoint: Endpoint
) -> None:
    reply_id = await start(alice, conversation, "/tokens 5000 /pace 100 /delay 0")

    await until(lambda: len(Message.objects.get(pk=reply_id).text) > 20)

    reply = await Message.objects.aget(pk=reply_id)
    assert reply.status == Status.STREAMING
    assert reply.owner == registry.PROCESS


async def test_quick_replies_share_one_round_of_checkpoints(
    alice: User, endpoint: Endpoint
) -> None:
    for _ in range(5):
        quick = await Conversation.objects.acreate(owner=alice)
        reply_id = await start(alice, quick, "/echo hi /pace max")
        await until(lambda reply_id=reply_id: Message.objects.get(pk=reply_id).status == "complete")

    rounds = [task for task in asyncio.all_tasks() if "keep(" in repr(task)]
    assert len(rounds) <= 1


async def test_a_drain_interrupts_what_runs_and_keeps_its_text(
    alice: User, conversation: Conversation, endpoint: Endpoint
) -> None:
    reply_id = await start(alice, conversation, "/tokens 5000 /pace 200 /delay 0")
    generation = registry.find(reply_id)
    assert generation is not None
    async with asyncio.timeout(30):
        while len(generation.log.entries) < 10:
            await asyncio.sleep(0.01)

    await registry.drain(0)

    reply = await Message.objects.aget(pk=reply_id)
    assert reply.status == Status.INTERRUPTED
    assert len(reply.text) > 10
    assert registry.find(reply_id) is None


async def test_a_drain_waits_for_a_last_row_that_is_being_written(
    alice: User, conversation: Conversation, endpoint: Endpoint
) -> None:
    with armed("final.write", "sleep:0.5"):
        reply_id = await start(alice, conversation, "/echo hi")
        generation = registry.find(reply_id)
        assert generation is not None
        async with asyncio.timeout(30):
            while generation.status.is_live:
                await asyncio.sleep(0.01)

        await registry.drain(0)

    reply = await Message.objects.aget(pk=reply_id)
    assert (reply.status, reply.text) == (Status.COMPLETE, "hi")


async def test_a_drain_waits_for_what_a_launch_begins(
    alice: User, conversation: Conversation, endpoint: Endpoint
) -> None:
    sending = Sending(conversation.pk, "/tokens 5000 /pace 100", uuid.uuid4())
    with armed("reply.stored", "sleep:0.5"):
        launching = asyncio.create_task(registry.launch(ask, alice, sending))
        await until(Message.objects.filter(role="assistant").exists)

        await registry.drain(0)

    await launching
    reply = await Message.objects.aget(role="assistant")
    assert reply.status == Status.INTERRUPTED


async def test_a_reply_deleted_in_mid_stream_stops_its_upstream(
    alice: User, conversation: Conversation, endpoint: Endpoint
) -> None:
    reply_id = await start(alice, conversation, "/tokens 5000 /pace 100 /delay 0")
    await Conversation.objects.all().adelete()

    async with asyncio.timeout(30):
        while registry.find(reply_id) is not None:
            await asyncio.sleep(0.02)


async def test_replies_that_a_dead_process_left_are_interrupted(
    conversation: Conversation,
) -> None:
    orphan = await Message.objects.acreate(
        conversation=conversation, role="assistant", status=Status.STREAMING, text="Half"
    )

    assert await write(interrupt_abandoned, set()) == {conversation.pk}

    await orphan.arefresh_from_db()
    assert (orphan.status, orphan.text) == (Status.INTERRUPTED, "Half")


@pytest.mark.skipif(connection.vendor != "sqlite", reason="locks an SQLite file")
async def test_a_locked_database_delays_the_final_row_but_loses_nothing(
    alice: User, conversation: Conversation, endpoint: Endpoint
) -> None:
    reply_id = await start(alice, conversation, "/tokens 60 /pace max /delay 0")
    lock = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")
    generation = registry.find(reply_id)
    assert generation is not None
    async with asyncio.timeout(30):
        while generation.status != Status.COMPLETE:
            await asyncio.sleep(0.02)
    lock.execute("COMMIT")
    lock.close()

    await until(lambda: Message.objects.get(pk=reply_id).status == Status.COMPLETE)


async def test_a_run_that_was_taken_for_dead_leaves_the_row_to_the_one_that_continues_it(
    alice: User, endpoint: Endpoint, tab_of: TabOf
) -> None:
    async with tab_of(alice) as tab:
        await tab.say("/tokens 400 /pace 20")
        await tab.until(lambda page: page.part("text"))
        reply = await Message.objects.aget(role="assistant")
        old = registry.find(reply.pk)
        assert old is not None
        await Message.objects.filter(pk=reply.pk).aupdate(
            status="interrupted", text="So far", finished_at=timezone.now()
        )
        await registry.launch(partial(resume, alice), reply.pk)
        new = registry.find(reply.pk)
        assert new is not None and new is not old
        async with asyncio.timeout(10):
            while not old.is_saved:
                await asyncio.sleep(0.01)

        assert registry.find(reply.pk) is new
        await reply.arefresh_from_db()
        assert reply.is_live and reply.seams == [len("So far")]
        await registry.stop(reply.pk)


async def test_a_database_that_was_slow_to_answer_ends_nobodys_reply(
    conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    await Message.objects.acreate(conversation=conversation, role="assistant", status="streaming")
    monkeypatch.setattr(rows, "SLOW_S", 0.0)

    with pytest.raises(OperationalError):
        await write(interrupt_abandoned, set())

    assert await Message.objects.filter(status="streaming").acount() == 1
