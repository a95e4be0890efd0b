"""Every way to cause a call meets the limits, and what is refused is neither sent nor lost."""

import asyncio
import datetime
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import AsyncClient

from chatapp.database import read, write
from chatapp.generation import registry, upkeep
from chatapp.generation.queue import enqueue, queue_of, ready_conversations, send_next
from chatapp.generation.rows import interrupt_abandoned
from chatapp.generation.turns import Sending
from chatapp.models import Conversation, Endpoint, Limit, Message, Queued, Role, Usage
from chatapp.models.message import path_of
from tests.limits.conftest import LimitTo, client_of, used
from tests.tab import Tab

TabOf = Callable[..., Tab]

SLOW = "/tokens 5000 /pace 50"
A_CALL = 100 + 8  # the reply of the endpoint `small`, and at most so much for a short prompt


async def usage() -> Usage:
    return await Usage.objects.aget()


async def replies() -> int:
    return await Message.objects.filter(role=Role.ASSISTANT).acount()


async def settled(user: User) -> Usage:
    """The counters once nothing is reserved any more."""
    async with asyncio.timeout(30):
        while not await Usage.objects.filter(pk=user.pk, running=0, reserved=0).aexists():
            await asyncio.sleep(0.02)
    return await usage()


async def say(client: AsyncClient, text: str, conversation_id: Any = None) -> Any:
    place = conversation_id or uuid.uuid4()
    return await client.post(f"/c/{place}/messages/", {"text": text, "key": str(uuid.uuid4())})


async def test_a_refused_message_is_not_stored_and_stays_in_the_box(
    alice: User, endpoint: Endpoint, tab_of: TabOf, limit_to: LimitTo
) -> None:
    limit_to(PROMPTS_A_MINUTE=1)
    async with tab_of(alice) as tab:
        await tab.say("/echo one")
        await tab.until(lambda page: page.status == "complete")
        frames = len(tab.page.frames)
        await tab.say("/echo two")
        await tab.until(lambda page: "You can send 1 prompt a minute" in page.notice)

    assert tab.page.prompts == ["/echo one"]
    assert not any('hx-target="#key"' in frame for frame in tab.page.frames[frames:])
    assert await replies() == 1


async def test_a_refused_first_message_leaves_no_conversation(
    alice: User, endpoint: Endpoint, limit_to: LimitTo, browser: AsyncClient
) -> None:
    limit_to(PROMPTS_A_MINUTE=0)

    answer = await say(browser, "/echo all that I wrote")

    assert answer.status_code == 422
    page = answer.content.decode()
    assert "/echo all that I wrote</textarea>" in page
    assert "You can read here and send nothing" in page
    assert not await Conversation.objects.aexists()


async def test_a_refused_edit_stays_in_the_box_of_a_page_without_scripts(
    alice: User, endpoint: Endpoint, limit_to: LimitTo, browser: AsyncClient
) -> None:
    await say(browser, "/echo one")
    await registry.drain(10)
    prompt = await Message.objects.aget(role=Role.USER)
    limit_to(PROMPTS_A_MINUTE=0)

    edit = {"text": "/echo better", "key": str(uuid.uuid4())}
    answer = await browser.post(f"/messages/{prompt.pk}/edit/", edit)

    assert "/echo better</textarea>" in answer.content.decode()
    assert await replies() == 1


async def test_every_way_to_ask_is_a_prompt(
    alice: User, conversation: Conversation, endpoint: Endpoint, tab_of: TabOf, limit_to: LimitTo
) -> None:
    limit_to(PROMPTS_A_MINUTE=100)

    async def last_of(count: int) -> str:
        """The newest reply, once so many prompts are counted and their replies have ended."""
        async with asyncio.timeout(30):
            while not await Usage.objects.filter(prompts=count, running=0).aexists():
                await asyncio.sleep(0.02)
        return str((await Message.objects.filter(role=Role.ASSISTANT).alatest("asked_at")).pk)

    async with tab_of(alice) as tab:
        await tab.say("/fault cut /pace max")
        reply = await last_of(1)
        await tab.send(action="continue", message=reply)
        await last_of(2)
        await tab.send(action="retry", message=reply)
        await last_of(3)
        prompt = await Message.objects.aget(role=Role.USER)
        await tab.send(action="edit", message=str(prompt.pk), text="/echo a", key=str(uuid.uuid4()))
        reply = await last_of(4)
        await Message.objects.filter(pk=reply).aupdate(asked_at="2020-01-01T00:00Z")
        await tab.send(action="regenerate", message=reply)
        await last_of(5)
        await tab.send(action="queue", text="/echo b", key=str(uuid.uuid4()))
        await last_of(6)

    assert await replies() == 5, "what was continued is the same reply"


async def test_a_copy_asks_nothing_and_costs_nothing(
    alice: User, endpoint: Endpoint, limit_to: LimitTo, browser: AsyncClient
) -> None:
    limit_to(PROMPTS_A_MINUTE=1, TOKENS_A_DAY=1_000_000)
    await say(browser, "/echo one")
    before = await settled(alice)
    reply = await Message.objects.aget(role=Role.ASSISTANT)

    answer = await browser.post(f"/messages/{reply.pk}/fork/")

    after = await usage()
    assert answer.status_code == 302 and await Conversation.objects.acount() == 2
    assert (after.prompts, after.day_tokens) == (before.prompts, before.day_tokens)


async def test_what_the_endpoint_counted_is_what_is_spent(
    alice: User, endpoint: Endpoint, limit_to: LimitTo, browser: AsyncClient
) -> None:
    limit_to(TOKENS_A_DAY=1_000_000)
    await say(browser, "/echo one two three")
    await registry.drain(10)

    reply = await Message.objects.aget(role=Role.ASSISTANT)
    assert reply.input_tokens and reply.output_tokens
    assert reply.reserved_tokens is not None
    assert reply.reserved_tokens > reply.output_tokens
    assert (await settled(alice)).day_tokens == reply.input_tokens + reply.output_tokens


async def test_what_no_endpoint_counted_is_estimated_by_its_characters(
    alice: User, endpoint: Endpoint, limit_to: LimitTo, browser: AsyncClient
) -> None:
    limit_to(TOKENS_A_DAY=1_000_000)
    endpoint.options = {**endpoint.options, "stream_options": False}
    await endpoint.asave()
    await say(browser, "/echo " + "word " * 100)
    await registry.drain(10)

    reply = await Message.objects.aget(role=Role.ASSISTANT)
    assert reply.output_tokens is None
    spent = (await settled(alice)).day_tokens
    assert spent == reply.prompt_estimate + -(-len(reply.text.encode()) // 4)
    assert 100 < reply.prompt_estimate < 150


async def test_a_stopped_reply_costs_what_was_written_of_it(
    alice: User, endpoint: Endpoint, tab_of: TabOf, limit_to: LimitTo
) -> None:
    limit_to(TOKENS_A_DAY=1_000_000)
    async with tab_of(alice) as tab:
        await tab.say(SLOW)
        await tab.until(lambda page: len(page.part("text").strip()) > 30)
        reply = await Message.objects.aget(role=Role.ASSISTANT)
        await tab.send(action="stop", message=str(reply.pk))
        await tab.until(lambda page: page.status == "stopped")

    await reply.arefresh_from_db()
    written = -(-len(reply.text.encode()) // 4)
    assert (await settled(alice)).day_tokens == reply.prompt_estimate + written


async def test_a_call_that_was_never_answered_costs_nothing(
    alice: User, endpoint: Endpoint, limit_to: LimitTo, browser: AsyncClient
) -> None:
    limit_to(TOKENS_A_DAY=1_000_000)

    await say(browser, "/fault 401")
    await registry.drain(10)

    assert (await settled(alice)).day_tokens == 0
    assert (await usage()).prompts == 1


async def test_a_turn_that_is_deleted_while_it_is_written_is_paid_and_frees_its_place(
    alice: User, endpoint: Endpoint, tab_of: TabOf, limit_to: LimitTo
) -> None:
    limit_to(PARALLEL_REPLIES=1)
    async with tab_of(alice) as tab:
        await tab.say(SLOW)
        await tab.until(lambda page: len(page.part("text").strip()) > 30)
        reply = await Message.objects.aget(role=Role.ASSISTANT)
        await tab.send(action="remove", message=str(reply.pk))

        assert (await settled(alice)).day_tokens > reply.prompt_estimate
        await tab.say("/echo again")
        await tab.until(lambda page: page.status == "complete")


async def test_the_reply_of_a_process_that_died_is_settled_by_whoever_ends_it(
    alice: User, conversation: Conversation, endpoint: Endpoint, limit_to: LimitTo
) -> None:
    limit_to(PARALLEL_REPLIES=1, TOKENS_A_DAY=10_000)
    sending = Sending(conversation.pk, "hello there", uuid.uuid4(), endpoint.pk)
    from chatapp.generation.turns import ask

    await write(ask, alice, sending, process="elsewhere:1:abcd")
    reply = Message.objects.filter(role=Role.ASSISTANT)
    await reply.aupdate(lease_until=None, text="x" * 400, headers_at="2026-01-01T00:00Z")

    assert await write(interrupt_abandoned, set()) == {conversation.pk}
    assert await write(interrupt_abandoned, set()) == set()

    ended = await settled(alice)
    assert ended.day_tokens == (await reply.aget()).prompt_estimate + 100


async def test_a_message_that_waits_goes_by_itself_when_the_limit_is_over(
    alice: User, conversation: Conversation, endpoint: Endpoint, tab_of: TabOf, limit_to: LimitTo
) -> None:
    limit_to(PROMPTS_A_MINUTE=1)
    async with tab_of(alice) as tab:
        await tab.say("/echo one")
        await tab.until(lambda page: page.status == "complete")
        await tab.send(action="queue", text="/echo two", key=str(uuid.uuid4()))
        await tab.until(lambda page: "Waiting: You can send 1 prompt" in queue_text(page))
        assert await read(ready_conversations) == {conversation.pk}

        await Usage.objects.aupdate(minute_from=0)
        upkeep.start()
        await tab.until(lambda page: page.prompts == ["/echo one", "/echo two"])


async def test_what_stops_a_reply_and_meets_a_brief_limit_goes_by_itself_too(
    alice: User, conversation: Conversation, endpoint: Endpoint, tab_of: TabOf, limit_to: LimitTo
) -> None:
    limit_to(PROMPTS_A_MINUTE=1)
    async with tab_of(alice) as tab:
        await tab.say("/tokens 400 /pace 20")
        await tab.until(lambda page: page.status == "streaming")
        await tab.send(action="stop-and-send", text="/echo two", key=str(uuid.uuid4()))
        await tab.until(lambda page: "Waiting: You can send 1 prompt" in queue_text(page))

        await Usage.objects.aupdate(minute_from=0)
        upkeep.start()
        await tab.until(lambda page: page.prompts == ["/tokens 400 /pace 20", "/echo two"])


async def test_who_was_locked_out_by_a_clock_far_ahead_is_set_free(alice: User) -> None:
    far = datetime.date(2999, 1, 1)
    await read(used, alice, day=far, month=far)

    upkeep.start()
    async with asyncio.timeout(10):
        while await Usage.objects.filter(day=far).aexists():
            await asyncio.sleep(0.01)
    await upkeep.stop()

    assert not await Usage.objects.filter(month=far).aexists()


async def test_a_message_that_waits_for_days_is_held_and_says_why(
    alice: User, conversation: Conversation, small: Endpoint, tab_of: TabOf, limit_to: LimitTo
) -> None:
    async with tab_of(alice) as tab:
        await tab.say("/echo one")
        await tab.until(lambda page: page.status == "complete")
        limit_to(TOKENS_A_DAY=20)
        await tab.send(action="queue", text="/echo two", key=str(uuid.uuid4()))
        await tab.until(lambda page: "Not sent: This may take" in queue_text(page))
        queued = await Queued.objects.aget()
        assert await read(ready_conversations) == set()

        await tab.send(action="send-now", queued=str(queued.pk))
        await tab.until(lambda page: "This may take" in page.notice)
        assert await Queued.objects.acount() == 1

        limit_to(TOKENS_A_DAY=100_000)
        await tab.send(action="send-now", queued=str(queued.pk))
        await tab.until(lambda page: page.prompts == ["/echo one", "/echo two"])


def queue_text(page: Any) -> str:
    return " ".join(page.root.by_id("queue").text.split())


async def test_nothing_is_sent_while_the_counters_cannot_be_written(
    alice: User, conversation: Conversation, endpoint: Endpoint, tab_of: TabOf, limit_to: LimitTo
) -> None:
    limit_to(PROMPTS_A_MINUTE=100)
    await write(_rename, "chatapp_usage", "chatapp_away")
    try:
        async with tab_of(alice) as tab:
            await tab.say("/echo one")
            await tab.until(lambda page: "The database does not answer" in page.notice)
    finally:
        await write(_rename, "chatapp_away", "chatapp_usage")

    assert not await Message.objects.aexists()


def _rename(table: str, name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} RENAME TO {name}")


@pytest.mark.parametrize(
    ("limit", "count"),
    [("TOKENS_A_DAY", 30), ("PROMPTS_A_MINUTE", 12), ("SERVICE_TOKENS_A_MONTH", 12)],
)
async def test_of_many_forms_and_sockets_at_once_three_are_let_through(
    alice: User, small: Endpoint, tab_of: TabOf, limit: str, count: int, limit_to: LimitTo
) -> None:
    limit_to(**{limit: 3 if limit == "PROMPTS_A_MINUTE" else 3 * A_CALL + A_CALL // 2})
    ways = [await Conversation.objects.acreate(owner=alice) for _ in range(count // 2)]
    client = await asyncio.to_thread(client_of, alice)

    async def over_a_socket(conversation: Conversation) -> None:
        async with tab_of(alice, conversation.pk) as tab:
            await tab.say("/fault hang")
            await tab.until(lambda page: page.status or page.notice)

    await asyncio.gather(
        *(over_a_socket(conversation) for conversation in ways),
        *(say(client, "/fault hang") for _ in range(count // 2)),
    )

    assert await replies() == 3
    assert (await Message.objects.filter(role=Role.USER).acount()) == 3


async def test_replies_at_a_time_are_counted_over_all_conversations(
    alice: User, bob: User, endpoint: Endpoint, tab_of: TabOf, limit_to: LimitTo
) -> None:
    limit_to(PARALLEL_REPLIES=2)
    others = [await Conversation.objects.acreate(owner=alice) for _ in range(2)]
    async with tab_of(alice) as one, tab_of(alice, others[0].pk) as two:
        for tab in (one, two):
            await tab.say(SLOW)
            await tab.until(lambda page: page.buttons == ["Stop"])
        async with tab_of(alice, others[1].pk) as three:
            await three.say("/echo hi")
            await three.until(lambda page: "2 replies of yours" in page.notice)

            running = await Message.objects.filter(role=Role.ASSISTANT).afirst()
            assert running is not None
            await registry.stop(running.pk)
            async with asyncio.timeout(30):
                while (await usage()).running > 1:
                    await asyncio.sleep(0.02)
            await three.say("/echo hi")
            await three.until(lambda page: page.status == "complete")


async def test_a_limit_of_ones_own_holds_at_once(
    alice: User, endpoint: Endpoint, tab_of: TabOf, limit_to: LimitTo
) -> None:
    limit_to(PROMPTS_A_MINUTE=100)
    async with tab_of(alice) as tab:
        await tab.say("/echo one")
        await tab.until(lambda page: page.status == "complete")
        await Limit.objects.acreate(user=alice, prompts_a_minute=1)
        await tab.say("/echo two")
        await tab.until(lambda page: "1 prompt a minute" in page.notice)


async def test_what_is_left_is_told_after_a_reply_when_it_is_little(
    alice: User, endpoint: Endpoint, tab_of: TabOf, limit_to: LimitTo
) -> None:
    limit_to(TOKENS_A_DAY=100_000)
    async with tab_of(alice) as tab:
        await tab.say("/echo one")
        await tab.until(lambda page: page.status == "complete")
        assert tab.page.left == ""
        await asyncio.to_thread(used, alice, day_tokens=80_500)
        await tab.say("/echo two")
        await tab.until(lambda page: "left of your 100,000 tokens a day until" in page.left)

        await asyncio.to_thread(used, alice, day_tokens=0)
        await tab.say("/echo three")
        await tab.until(lambda page: page.left == "")


async def test_a_title_is_paid_by_its_person_and_not_asked_for_without_tokens(
    alice: User, endpoint: Endpoint, limit_to: LimitTo, browser: AsyncClient
) -> None:
    endpoint.options = {"max_tokens": 100}
    await endpoint.asave()
    limit_to(TOKENS_A_DAY=1_000_000)
    await say(browser, "Tell me of whales /pace max")
    async with asyncio.timeout(30):
        while await Conversation.objects.filter(title="Tell me of whales /pace max").aexists():
            await asyncio.sleep(0.02)
    reply = await Message.objects.aget(role=Role.ASSISTANT)
    spent = (await settled(alice)).day_tokens

    assert spent > (reply.input_tokens or 0) + (reply.output_tokens or 0)
    assert (await usage()).prompts == 1

    limit_to(TOKENS_A_DAY=spent + 160)  # enough for a reply and not for its title
    await say(browser, "Tell me of crabs /pace max")
    await registry.drain(10)
    await settled(alice)
    assert await Conversation.objects.filter(title="Tell me of crabs /pace max").aexists()


async def test_the_queue_tells_the_time_of_a_limit_in_each_readers_zone(
    alice: User, conversation: Conversation, endpoint: Endpoint, limit_to: LimitTo
) -> None:
    from django.utils import timezone

    prompt = await Message.objects.acreate(conversation=conversation, role=Role.USER, text="a")
    await Message.objects.acreate(
        conversation=conversation, parent=prompt, role=Role.ASSISTANT, text="b"
    )
    await Conversation.objects.filter(pk=conversation.pk).aupdate(endpoint=endpoint)
    await write(enqueue, alice, Sending(conversation.pk, "c", uuid.uuid4()))
    await asyncio.to_thread(used, alice, month_tokens=950_000)
    limit_to(TOKENS_A_MONTH=951_000)
    await write(send_next, conversation.pk, process="here:1:abcd")

    def sentence(zone: str) -> str:
        path = path_of(list(conversation.messages.all()))
        with timezone.override(zone):
            refusal = queue_of(conversation.pk, path).refusal
            assert refusal is not None
            return refusal.sentence

    assert "until 1 " in await read(sentence, "UTC")
    assert ", 00:00 UTC." in await read(sentence, "UTC")
    # On the last evening of a month it is the first of the next there, and no day is told.
    assert " 09:00." in await read(sentence, "Asia/Tokyo")
