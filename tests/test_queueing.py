"""Messages that wait while a reply runs, over the socket and as plain forms."""

import asyncio
import uuid
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import AsyncClient

from chatapp.database import read, write
from chatapp.failpoints import armed
from chatapp.generation import registry, upkeep
from chatapp.generation.queue import MOST, enqueue, ready_conversations, send_next, send_now
from chatapp.generation.turns import Sending
from chatapp.library import delete
from chatapp.models import Conversation, Endpoint, Message, Queued, Role, Status
from tests.dom import Page
from tests.tab import Tab

TabOf = Callable[..., Tab]
SLOW = "/tokens 5000 /pace 50"


def waiting(page: Page) -> list[str]:
    queue = page.root.by_id("queue")
    assert queue is not None
    return [item.all("span")[0].text for item in queue.all("li")]


def queue_buttons(page: Page) -> list[str]:
    queue = page.root.by_id("queue")
    assert queue is not None
    return [button.text for button in queue.all("button")]


def returned(page: Page) -> str:
    element = page.root.by_id("returned")
    assert element is not None
    return element.text


async def queue(tab: Tab, text: str, **values: Any) -> None:
    await tab.send(**{"action": "queue", "text": text, "key": str(uuid.uuid4())} | values)


async def queue_in_order(tab: Tab, *texts: str) -> None:
    for text in texts:
        await queue(tab, text)
        await tab.until(lambda page, text=text: text in waiting(page))


async def stop(tab: Tab) -> None:
    reply = await Message.objects.filter(role=Role.ASSISTANT).alatest("asked_at")
    await tab.send(action="stop", message=str(reply.pk))
    await tab.until(lambda page: page.status == "stopped" and page.buttons == ["Send"])


def answered(page: Page, *prompts: str) -> bool:
    return page.prompts == list(prompts) and page.status == "complete"


async def a_turn(conversation: Conversation, endpoint: Endpoint, status: Status) -> Message:
    """A prompt with its reply, as a process left them."""
    await Conversation.objects.filter(pk=conversation.pk).aupdate(endpoint=endpoint)
    prompt = await Message.objects.acreate(
        conversation=conversation, role=Role.USER, text="/echo before"
    )
    await Message.objects.acreate(
        conversation=conversation, parent=prompt, role=Role.ASSISTANT, status=status, text="before"
    )
    return prompt


async def test_what_waits_is_sent_in_order_each_after_the_reply_before(
    alice: User, endpoint: Endpoint, tab_of: TabOf
) -> None:
    async with tab_of(alice) as tab, tab_of(alice) as reader:
        await tab.say("/tokens 60 /pace 40")
        await tab.until(lambda page: page.buttons == ["Stop"])
        await queue_in_order(tab, "/echo two", "/echo three")
        await reader.until(lambda page: waiting(page) == ["/echo two", "/echo three"])
        expected = ["/tokens 60 /pace 40", "/echo two", "/echo three"]
        await tab.until(lambda page: answered(page, *expected))
        await reader.until(lambda page: answered(page, *expected))
        await tab.until(lambda page: waiting(page) == [])

    messages = [m async for m in Message.objects.order_by("asked_at")]
    assert all(later.parent_id == earlier.pk for earlier, later in pairwise(messages))
    assert not await Queued.objects.aexists()


async def test_what_waits_is_sent_though_every_tab_is_closed(
    alice: User, endpoint: Endpoint, tab_of: TabOf
) -> None:
    async with tab_of(alice) as tab:
        await tab.say("/tokens 40 /pace 40")
        await tab.until(lambda page: page.buttons == ["Stop"])
        await queue_in_order(tab, "/echo two")

    async with asyncio.timeout(30):
        while not await Message.objects.filter(role=Role.ASSISTANT, text="two").aexists():
            await asyncio.sleep(0.02)


async def test_the_same_key_twice_waits_once_and_what_was_sent_never_waits(
    alice: User, endpoint: Endpoint, tab_of: TabOf
) -> None:
    key, sent = str(uuid.uuid4()), str(uuid.uuid4())
    async with tab_of(alice) as tab:
        await tab.say(SLOW, key=sent)
        await tab.until(lambda page: page.buttons == ["Stop"])
        await queue(tab, SLOW, key=sent)
        for _ in range(3):
            await queue(tab, "/echo once", key=key)
        await queue(tab, "/echo other text of the same form", key=key)
        await tab.until(lambda page: len(waiting(page)) == 2)

        assert waiting(tab.page) == ["/echo once", "/echo other text of the same form"]
        assert sum('hx-target="#key"' in frame for frame in tab.page.frames) >= 1


async def test_a_message_that_was_sent_while_it_waited_is_not_sent_again(
    alice: User, endpoint: Endpoint, tab_of: TabOf
) -> None:
    key = str(uuid.uuid4())
    async with tab_of(alice) as tab:
        await tab.say(SLOW)
        await tab.until(lambda page: page.buttons == ["Stop"])
        await queue(tab, "/echo hi", key=key)
        await tab.until(waiting)
        await stop(tab)
        await tab.say("/echo hi", key=key)
        await tab.until(lambda page: answered(page, SLOW, "/echo hi") and waiting(page) == [])
        await tab.say("/echo bye")
        await tab.until(lambda page: answered(page, SLOW, "/echo hi", "/echo bye"))

    assert await Message.objects.filter(role=Role.USER, text="/echo hi").acount() == 1


@pytest.mark.parametrize("ending", ["/fault 500", "/fault cut", SLOW])
async def test_a_reply_that_is_not_complete_holds_the_queue_until_the_person_decides(
    ending: str, alice: User, conversation: Conversation, endpoint: Endpoint, tab_of: TabOf
) -> None:
    async with tab_of(alice) as tab:
        with armed("final.write", "sleep:1"):
            await tab.say(ending)
            await tab.until(lambda page: page.buttons == ["Stop"])
            await queue_in_order(tab, "/echo two", "/echo three")
            if ending == SLOW:
                await stop(tab)
            await tab.until(lambda page: "Send now" in queue_buttons(page))
        await registry.send_queued(conversation.pk)
        assert await Message.objects.filter(role=Role.USER).acount() == 1

        first = await Queued.objects.order_by("asked_at").afirst()
        assert first is not None
        for _ in range(2):
            await tab.send(action="send-now", queued=str(first.pk))
        await tab.until(lambda page: answered(page, ending, "/echo two", "/echo three"))

    assert await Message.objects.filter(role=Role.USER).acount() == 3


async def test_a_retry_that_succeeds_lets_the_queue_go_on(
    alice: User, conversation: Conversation, endpoint: Endpoint, tab_of: TabOf
) -> None:
    prompt = await a_turn(conversation, endpoint, Status.ERROR)
    failed = await Message.objects.aget(role=Role.ASSISTANT)
    await Queued.objects.acreate(
        conversation=conversation, key=uuid.uuid4(), text="/echo after", after=prompt
    )
    async with tab_of(alice) as tab:
        await tab.until(lambda page: "Send now" in queue_buttons(page))
        await tab.send(action="retry", message=str(failed.pk), endpoint=str(endpoint.pk))
        await tab.until(lambda page: answered(page, "/echo before", "/echo after"))


async def test_a_held_queue_follows_a_reply_that_runs_only_when_told_to(
    alice: User, endpoint: Endpoint, tab_of: TabOf
) -> None:
    async with tab_of(alice) as tab:
        await tab.say(SLOW)
        await tab.until(lambda page: page.buttons == ["Stop"])
        await queue_in_order(tab, "/echo held")
        await stop(tab)
        await tab.say("/tokens 60 /pace 30")
        await tab.until(lambda page: "Send next" in queue_buttons(page))
        held = await Queued.objects.aget()
        await tab.send(action="send-now", queued=str(held.pk))
        await tab.until(lambda page: answered(page, SLOW, "/tokens 60 /pace 30", "/echo held"))


async def test_what_is_taken_back_comes_to_the_tab_that_asked_and_is_not_sent(
    alice: User, endpoint: Endpoint, tab_of: TabOf
) -> None:
    text = "  /echo <b>\r\n\tback & forth 🌊  "
    async with tab_of(alice) as tab, tab_of(alice) as other:
        await tab.say(SLOW)
        await tab.until(lambda page: page.buttons == ["Stop"])
        await queue(tab, text)
        await other.until(waiting)
        queued = await Queued.objects.aget()
        await tab.send(action="unqueue", queued=str(queued.pk))
        await other.until(lambda page: waiting(page) == [])
        await tab.until(lambda page: returned(page) and waiting(page) == [])
        await other.send(action="unqueue", queued=str(queued.pk))
        await other.until(lambda page: "waits no more" in page.notice)

    assert returned(tab.page) == text
    assert returned(other.page) == ""


async def test_a_reply_that_ended_meanwhile_lets_a_queued_message_go_at_once(
    alice: User, endpoint: Endpoint, tab_of: TabOf
) -> None:
    async with tab_of(alice) as tab:
        await tab.say("/echo one")
        await tab.until(lambda page: page.status == "complete" and page.buttons == ["Send"])
        await queue(tab, "/echo two")
        await tab.until(lambda page: answered(page, "/echo one", "/echo two"))


async def test_ten_wait_and_no_more(
    alice: User, conversation: Conversation, endpoint: Endpoint, tab_of: TabOf
) -> None:
    async with tab_of(alice) as tab:
        await tab.say(SLOW)
        await tab.until(lambda page: page.buttons == ["Stop"])
        sendings = [Sending(conversation.pk, f"/echo {i}", uuid.uuid4()) for i in range(MOST)]
        for sending in sendings:
            await write(enqueue, alice, sending)
        await queue(tab, "/echo one too many")
        await tab.until(lambda page: "10 messages wait already" in page.notice)

    assert await Queued.objects.acount() == MOST


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"text": "  "}, "empty"),
        ({"text": "x" * 32_001}, "32,000"),
        ({"key": "nonsense"}, "id"),
        ({"endpoint": "99"}, "no longer exists"),
        ({"attachment": str(uuid.uuid4())}, "Files can't wait"),
        ({"action": "unqueue", "queued": {}}, "id"),
        ({"action": "unqueue", "queued": str(uuid.uuid4())}, "waits no more"),
    ],
)
async def test_what_cannot_wait_gets_a_sentence(
    values: dict[str, Any], sentence: str, alice: User, endpoint: Endpoint, tab_of: TabOf
) -> None:
    async with tab_of(alice) as tab:
        await queue(tab, **{"text": "/echo hi"} | values)
        await tab.until(lambda page: sentence in page.notice)

    assert not await Queued.objects.aexists()


async def test_an_endpoint_that_was_disabled_meanwhile_holds_the_queue_and_is_named(
    alice: User, endpoint: Endpoint, tab_of: TabOf
) -> None:
    off = await Endpoint.objects.acreate(name="off", protocol="openai", url=endpoint.url)
    async with tab_of(alice) as tab:
        await tab.say("/tokens 80 /pace 40", endpoint=str(endpoint.pk))
        await tab.until(lambda page: page.buttons == ["Stop"])
        await queue(tab, "/echo two", endpoint=str(off.pk))
        await tab.until(waiting)
        await Endpoint.objects.filter(pk=off.pk).aupdate(enabled=False)
        await tab.until(lambda page: "Send now" in queue_buttons(page))
        queued = await Queued.objects.aget()
        await tab.send(action="send-now", queued=str(queued.pk))
        await tab.until(lambda page: "“off” is disabled" in page.notice)

    assert waiting(tab.page) == ["/echo two"]


# --- Whoever looks next --------------------------------------------------------------------------


async def a_message_that_nobody_sent(
    conversation: Conversation, endpoint: Endpoint, status: Status = Status.COMPLETE
) -> Queued:
    """A process ended after the final row and before it sent what waits."""
    prompt = await a_turn(conversation, endpoint, status)
    return await Queued.objects.acreate(
        conversation=conversation, key=uuid.uuid4(), text="/echo after", after=prompt
    )


async def test_what_a_dead_process_did_not_send_the_upkeep_of_any_sends(
    alice: User, conversation: Conversation, endpoint: Endpoint, tab_of: TabOf
) -> None:
    await a_message_that_nobody_sent(conversation, endpoint)
    async with tab_of(alice) as tab:
        upkeep.start()
        await tab.until(lambda page: answered(page, "/echo before", "/echo after"))
    await upkeep.stop()


async def test_two_processes_that_send_at_once_send_one_message(
    conversation: Conversation, endpoint: Endpoint
) -> None:
    await a_message_that_nobody_sent(conversation, endpoint)

    calls = await asyncio.gather(
        *(write(send_next, conversation.pk, process=f"process {i}") for i in range(4))
    )

    assert sum(call is not None for call in calls) == 1
    assert await Message.objects.filter(role=Role.USER).acount() == 2
    assert await Message.objects.filter(status=Status.QUEUED).acount() == 1
    assert not await Queued.objects.aexists()


async def test_the_person_and_the_upkeep_that_send_at_once_send_one_message(
    alice: User, conversation: Conversation, endpoint: Endpoint
) -> None:
    queued = await a_message_that_nobody_sent(conversation, endpoint)

    await asyncio.gather(
        *(write(send_next, conversation.pk, process=f"process {i}") for i in range(2)),
        *(
            write(send_now, alice, conversation.pk, queued.pk, process=f"process {i}")
            for i in range(2, 4)
        ),
    )

    assert await Message.objects.filter(role=Role.USER).acount() == 2


@pytest.mark.parametrize("status", [Status.STOPPED, Status.ERROR, Status.INTERRUPTED])
async def test_nothing_follows_a_reply_that_is_not_complete(
    status: Status, conversation: Conversation, endpoint: Endpoint
) -> None:
    await a_message_that_nobody_sent(conversation, endpoint, status)

    assert not await read(ready_conversations)
    assert await write(send_next, conversation.pk, process="any") is None


async def test_nothing_is_sent_where_the_person_went_back_to_another_version(
    conversation: Conversation, endpoint: Endpoint
) -> None:
    await a_message_that_nobody_sent(conversation, endpoint)
    await a_turn(conversation, endpoint, Status.COMPLETE)

    assert await write(send_next, conversation.pk, process="any") is None
    assert await Queued.objects.acount() == 1


async def test_a_deleted_conversations_queue_goes_with_it(
    alice: User, conversation: Conversation, endpoint: Endpoint
) -> None:
    await a_message_that_nobody_sent(conversation, endpoint)
    await write(delete, alice, [conversation.pk])

    assert not await read(ready_conversations)
    assert await write(send_next, conversation.pk, process="any") is None
    await conversation.adelete()
    assert not await Queued.objects.aexists()


async def test_someone_elses_queue_looks_like_none(
    alice: User, bob: User, conversation: Conversation, endpoint: Endpoint
) -> None:
    queued = await a_message_that_nobody_sent(conversation, endpoint, Status.ERROR)
    stranger = AsyncClient()
    await stranger.aforce_login(bob)

    answers = [
        await stranger.post(f"/c/{conversation.pk}/queue/{action}/", {"queued": queued.pk} | form())
        for action in ("queue", "unqueue", "send-now")
    ]

    assert [answer.status_code for answer in answers] == [404] * 3
    assert await Queued.objects.acount() == 1


# --- Without scripts -----------------------------------------------------------------------------


def form(**values: Any) -> dict[str, Any]:
    return {"text": "/echo hi", "key": str(uuid.uuid4())} | values


async def test_forms_queue_take_back_and_send(
    browser: AsyncClient, conversation: Conversation, endpoint: Endpoint
) -> None:
    await a_turn(conversation, endpoint, Status.STOPPED)
    address = f"/c/{conversation.pk}/queue"

    for text in ("/echo one\r\ntwo", "/echo three"):
        answer = await browser.post(f"{address}/queue/", form(text=text))
        assert answer.headers["location"] == f"/c/{conversation.pk}/"
    page = (await browser.get(f"/c/{conversation.pk}/")).content.decode()
    assert "/echo one two" in page and "Send now" in page and "Take back" in page

    first, second = [queued async for queued in Queued.objects.all()]
    back = (await browser.post(f"{address}/unqueue/", {"queued": first.pk})).content.decode()
    assert "\n/echo one\ntwo</textarea>" in back
    await browser.post(f"{address}/send-now/", {"queued": second.pk})
    assert await Message.objects.filter(role=Role.USER, text="/echo three").aexists()
    assert not await Queued.objects.aexists()


async def test_what_cannot_be_queued_comes_back_in_the_box(
    browser: AsyncClient, conversation: Conversation, endpoint: Endpoint
) -> None:
    answer = await browser.post(f"/c/{conversation.pk}/queue/queue/", form(text="x" * 32_001))
    file = SimpleUploadedFile("notes.txt", b"notes")
    with_file = await browser.post(f"/c/{conversation.pk}/queue/queue/", form(file=file))
    unknown = await browser.post(f"/c/{conversation.pk}/queue/dance/", form())

    assert answer.status_code == 422 and "x" * 32_001 in answer.content.decode()
    assert with_file.status_code == 422 and "Files can&#x27;t wait" in with_file.content.decode()
    assert unknown.status_code == 404
