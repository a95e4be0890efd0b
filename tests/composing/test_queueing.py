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

from chatapp.composing.actions import QUEUE_ACTIONS
from chatapp.composing.attachments import store
from chatapp.composing.attachments import waiting as unsent
from chatapp.database import read, write
from chatapp.errors import InvalidInput
from chatapp.failpoints import armed
from chatapp.generation import registry, upkeep
from chatapp.generation.queue import MOST, enqueue, ready_conversations, send_next, send_now
from chatapp.generation.turns import Sending, ask
from chatapp.library.catalog import delete
from chatapp.models import Attachment, Conversation, Endpoint, Message, Queued, Role, Status
from chatapp.models.message import LIVE
from tests.dom import Page
from tests.images import PNG
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
    return "".join(e.text for e in element.all("div") if "data-text" in e.attributes)


def returned_files(page: Page) -> list[str]:
    element = page.root.by_id("returned")
    assert element is not None
    return [item.attributes["data-chip"] for item in element.all("li")]


async def kept(user: User, name: str, data: bytes) -> Attachment:
    return await write(store, user, name, data, len(data))


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
        await tab.until(waiting)
        queued = await Queued.objects.aget()
        await tab.send(action="unqueue", queued=str(queued.pk))
        await tab.until(returned)
        assert waiting(tab.page), "it waits until the page says that it has it"
        await tab.send(action="unqueue", queued=str(queued.pk), placed=True)
        await other.until(lambda page: waiting(page) == [])
        await tab.until(lambda page: waiting(page) == [])
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
        ({"endpoint": str(2**31 - 1)}, "no longer exists"),
        ({"attachment": str(uuid.uuid4())}, "not here any more"),
        ({"attachment": [str(uuid.uuid4()) for _ in range(9)]}, "can have 8 files"),
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


async def test_a_queue_that_breaks_holds_up_no_other(
    alice: User,
    conversation: Conversation,
    endpoint: Endpoint,
    tab_of: TabOf,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """As after an update that knows the endpoint's protocol no more."""
    other = await Conversation.objects.acreate(owner=alice)
    broken = await Endpoint.objects.acreate(name="old", protocol="gopher", url=endpoint.url)
    queued = await a_message_that_nobody_sent(other, broken)
    await Queued.objects.filter(pk=queued.pk).aupdate(endpoint=broken)
    upkeep.start()
    async with asyncio.timeout(30):
        while "was not sent" not in caplog.text:
            await asyncio.sleep(0.05)
    await a_message_that_nobody_sent(conversation, endpoint)

    async with tab_of(alice) as tab:
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
        for action in QUEUE_ACTIONS
    ]

    assert [answer.status_code for answer in answers] == [404] * 4
    assert await Queued.objects.acount() == 1


# --- With files -----------------------------------------------------------------------------------


async def test_files_wait_with_their_message_and_go_with_it(
    alice: User, endpoint: Endpoint, conversation: Conversation, tab_of: TabOf
) -> None:
    notes = await kept(alice, "notes.md", b"/echo from the file")
    async with tab_of(alice) as tab, tab_of(alice) as reader:
        await tab.say("/tokens 60 /pace 40")
        await tab.until(lambda page: page.buttons == ["Stop"])
        await queue(tab, "", attachment=str(notes.pk))
        await reader.until(waiting)
        assert "1 file" in reader.page.root.by_id("queue").text  # type: ignore[union-attr]
        assert await read(unsent, alice, [notes.pk]) == [], "no chip of a draft any more"
        await tab.until(lambda page: "from the file" in page.part("text"))
        await tab.until(lambda page: waiting(page) == [])

    sent = await Message.objects.filter(role=Role.USER).alatest("asked_at")
    assert sent.file_count == 1
    assert [file.pk async for file in sent.attachments.all()] == [notes.pk]


async def test_files_that_are_taken_back_come_to_the_composer(
    alice: User, endpoint: Endpoint, tab_of: TabOf
) -> None:
    notes, more = await kept(alice, "notes.md", b"# Notes"), await kept(alice, "b.md", b"More")
    async with tab_of(alice) as tab:
        await tab.say(SLOW)
        await tab.until(lambda page: page.buttons == ["Stop"])
        await queue(tab, "with two", attachment=[str(notes.pk), str(more.pk)])
        await tab.until(waiting)
        queued = str((await Queued.objects.aget()).pk)
        await tab.send(action="unqueue", queued=queued)
        await tab.until(returned_files)
        await tab.send(action="unqueue", queued=queued, placed=True)
        await tab.until(lambda page: waiting(page) == [])

        assert returned(tab.page) == "with two"
        assert returned_files(tab.page) == [str(notes.pk), str(more.pk)]
        await queue(tab, "again", attachment=returned_files(tab.page))
        await tab.until(waiting)


async def test_waiting_files_make_no_room_for_others_and_go_with_their_conversation(
    alice: User, conversation: Conversation, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatapp.composing.attachments.MAX_UNSENT", 1)
    await a_turn(conversation, endpoint, Status.STREAMING)
    notes = await kept(alice, "notes.md", b"# Notes")
    sending = Sending(conversation.pk, "x", uuid.uuid4(), attachments=(notes.pk,))
    await write(enqueue, alice, sending)
    await kept(alice, "b.md", b"b")
    await kept(alice, "c.md", b"c")

    assert {file.name async for file in Attachment.objects.all()} == {"notes.md", "c.md"}
    await conversation.adelete()
    assert {file.name async for file in Attachment.objects.all()} == {"c.md"}


async def test_a_file_waits_with_one_message_alone(
    alice: User, conversation: Conversation, endpoint: Endpoint
) -> None:
    await a_turn(conversation, endpoint, Status.STOPPED)
    notes = await kept(alice, "notes.md", b"# Notes")
    first, second = (
        Sending(conversation.pk, "x", uuid.uuid4(), attachments=(notes.pk,)) for _ in range(2)
    )
    for _ in range(2):
        await write(enqueue, alice, first)

    with pytest.raises(InvalidInput, match="not here any more"):
        await write(enqueue, alice, second)
    # The same once more, sent after all: its own file may go with it.
    call = await write(ask, alice, first, process="any")
    assert call is not None and "# Notes" in call.prompt.turns[-1].text
    assert await Message.objects.filter(key=first.key, file_count=1).aexists()


async def test_an_image_that_the_endpoint_does_not_take_does_not_wait(
    alice: User, endpoint: Endpoint, tab_of: TabOf
) -> None:
    image = await kept(alice, "cat.png", PNG)
    async with tab_of(alice) as tab:
        await tab.say(SLOW)
        await tab.until(lambda page: page.buttons == ["Stop"])
        await queue(tab, "look", attachment=str(image.pk), endpoint=str(endpoint.pk))
        await tab.until(lambda page: "takes no images" in page.notice)

    assert await read(unsent, alice, [image.pk]) == [image]


# --- Stop and send --------------------------------------------------------------------------------


async def stop_and_send(tab: Tab, text: str, **values: Any) -> None:
    await queue(tab, text, **{"action": "stop-and-send"} | values)


async def test_one_wish_stops_the_reply_and_sends(
    alice: User, endpoint: Endpoint, tab_of: TabOf
) -> None:
    notes = await kept(alice, "notes.md", b"# Notes")
    async with tab_of(alice) as tab:
        await tab.say(SLOW)
        await tab.until(lambda page: page.status == "streaming")
        await stop_and_send(tab, "/echo now", attachment=str(notes.pk))
        await tab.until(lambda page: answered(page, SLOW, "/echo now"))
        assert waiting(tab.page) == []

    replies = [m async for m in Message.objects.filter(role=Role.ASSISTANT).order_by("asked_at")]
    assert [reply.status for reply in replies] == [Status.STOPPED, Status.COMPLETE]
    assert replies[0].text and not await Queued.objects.aexists()


async def test_one_wish_stops_a_reply_that_has_not_begun(
    alice: User, endpoint: Endpoint, tab_of: TabOf
) -> None:
    async with tab_of(alice) as tab:
        await tab.say("/delay 60")
        await tab.until(lambda page: page.buttons == ["Stop"])
        await stop_and_send(tab, "/echo now")
        await tab.until(lambda page: page.prompts == ["/delay 60", "/echo now"])

    first = await Message.objects.filter(role=Role.ASSISTANT).aearliest("asked_at")
    assert (first.status, first.text) == (Status.STOPPED, "")


async def test_what_waited_before_is_held_when_another_was_sent_instead(
    alice: User, endpoint: Endpoint, tab_of: TabOf
) -> None:
    async with tab_of(alice) as tab:
        await tab.say(SLOW)
        await tab.until(lambda page: page.buttons == ["Stop"])
        await queue_in_order(tab, "/echo later")
        await stop_and_send(tab, "/echo now")
        await tab.until(lambda page: answered(page, SLOW, "/echo now"))
        await tab.until(lambda page: queue_buttons(page) == ["Send now", "Take back"])

        assert waiting(tab.page) == ["/echo later"]


async def test_a_repeat_stops_nothing_more(
    alice: User, conversation: Conversation, endpoint: Endpoint, tab_of: TabOf
) -> None:
    key = str(uuid.uuid4())
    async with tab_of(alice) as tab:
        await tab.say(SLOW)
        await tab.until(lambda page: page.status == "streaming")
        await stop_and_send(tab, SLOW + " again", key=key)
        await tab.until(lambda page: len(page.prompts) == 2 and page.status == "streaming")
        await stop_and_send(tab, SLOW + " again", key=key)
        await queue_in_order(tab, "/echo a sign that the repeat was taken")

    assert await Message.objects.filter(status__in=LIVE).acount() == 1
    assert await Message.objects.filter(role=Role.USER).acount() == 2


async def test_what_waits_already_is_hurried_by_the_same_wish(
    alice: User, endpoint: Endpoint, tab_of: TabOf
) -> None:
    key = str(uuid.uuid4())
    async with tab_of(alice) as tab:
        await tab.say(SLOW)
        await tab.until(lambda page: page.buttons == ["Stop"])
        await queue_in_order(tab, "/echo first")
        await queue(tab, "/echo now", key=key)
        await tab.until(lambda page: len(waiting(page)) == 2)
        await stop_and_send(tab, "/echo now", key=key)
        await tab.until(lambda page: answered(page, SLOW, "/echo now"))
        await tab.until(lambda page: waiting(page) == ["/echo first"])


@pytest.mark.parametrize("status", [Status.COMPLETE, Status.ERROR, Status.STOPPED])
async def test_where_nothing_runs_any_more_the_wish_is_to_send(
    status: Status, alice: User, conversation: Conversation, endpoint: Endpoint, tab_of: TabOf
) -> None:
    await a_turn(conversation, endpoint, status)
    async with tab_of(alice) as tab:
        await stop_and_send(tab, "/echo now")
        await tab.until(lambda page: answered(page, "/echo before", "/echo now"))


async def test_the_wish_is_granted_where_nothing_was_said(
    alice: User, endpoint: Endpoint, tab_of: TabOf
) -> None:
    async with tab_of(alice) as tab:
        await stop_and_send(tab, "/echo now")
        await tab.until(lambda page: answered(page, "/echo now"))


async def test_a_wish_whose_process_died_is_granted_by_the_upkeep_of_any(
    alice: User, conversation: Conversation, endpoint: Endpoint
) -> None:
    prompt = await a_turn(conversation, endpoint, Status.STREAMING)
    await write(enqueue, alice, Sending(conversation.pk, "x", uuid.uuid4()), is_urgent=True)
    reply = await Message.objects.aget(parent=prompt)
    assert reply.stop_requested_at is not None, "whoever makes it learns of the wish"
    assert await write(send_next, conversation.pk, process="any") is None

    await Message.objects.filter(pk=reply.pk).aupdate(status=Status.INTERRUPTED)

    assert await read(ready_conversations) == {conversation.pk}
    assert await write(send_next, conversation.pk, process="any") is not None


async def test_a_full_queue_keeps_no_one_from_stopping(
    alice: User, conversation: Conversation, endpoint: Endpoint
) -> None:
    await a_turn(conversation, endpoint, Status.STREAMING)
    for i in range(MOST):
        await write(enqueue, alice, Sending(conversation.pk, f"/echo {i}", uuid.uuid4()))

    urgent = Sending(conversation.pk, "/echo now", uuid.uuid4())
    await write(enqueue, alice, urgent, is_urgent=True)

    first = await Queued.objects.afirst()
    assert first is not None and first.key == urgent.key
    with pytest.raises(InvalidInput, match="wait already"):
        another = Sending(conversation.pk, "/echo more", uuid.uuid4())
        await write(enqueue, alice, another, is_urgent=True)


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


async def test_forms_queue_files_and_take_them_back(
    browser: AsyncClient, conversation: Conversation, endpoint: Endpoint
) -> None:
    await a_turn(conversation, endpoint, Status.STOPPED)
    address = f"/c/{conversation.pk}/queue"
    file = SimpleUploadedFile("notes.txt", b"notes")

    await browser.post(f"{address}/queue/", form(file=file))
    queued = await Queued.objects.aget()
    assert [each.name async for each in queued.attachments.all()] == ["notes.txt"]
    back = (await browser.post(f"{address}/unqueue/", {"queued": queued.pk})).content.decode()

    assert "\n/echo hi</textarea>" in back and "Send notes.txt" in back


async def test_a_form_stops_and_sends(
    browser: AsyncClient, conversation: Conversation, endpoint: Endpoint
) -> None:
    first = form(text=SLOW)
    await browser.post(f"/c/{conversation.pk}/messages/", first)

    answer = await browser.post(f"/c/{conversation.pk}/queue/stop-and-send/", form())

    assert answer.headers["location"] == f"/c/{conversation.pk}/"
    async with asyncio.timeout(30):
        while not await Message.objects.filter(role=Role.ASSISTANT, text="hi").aexists():
            await asyncio.sleep(0.02)
    assert await Message.objects.filter(status=Status.STOPPED).acount() == 1


async def test_what_cannot_be_queued_comes_back_in_the_box(
    browser: AsyncClient, conversation: Conversation, endpoint: Endpoint
) -> None:
    answer = await browser.post(f"/c/{conversation.pk}/queue/queue/", form(text="x" * 32_001))
    files = [SimpleUploadedFile("notes.txt", b"notes"), SimpleUploadedFile("a.exe", b"MZ\0")]
    with_file = await browser.post(f"/c/{conversation.pk}/queue/queue/", form(file=files))
    unknown = await browser.post(f"/c/{conversation.pk}/queue/dance/", form())

    assert answer.status_code == 422 and "x" * 32_001 in answer.content.decode()
    assert with_file.status_code == 422 and "nothing else can be sent" in with_file.content.decode()
    assert "Send notes.txt" in with_file.content.decode()
    assert unknown.status_code == 404
