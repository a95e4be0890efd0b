"""Versions of a turn, and what a person does with them, over the socket."""

import asyncio
import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import F
from django.test import AsyncClient
from django.test.utils import CaptureQueriesContext

from chatapp.database import write
from chatapp.generation.turns import resume
from chatapp.library import curation
from chatapp.models import Conversation, Endpoint, Message, Role, Status
from chatapp.models.message import path_of
from chatapp.templatetags.messages import outcome_line
from tests.dom import ended
from tests.growing import grow
from tests.tab import Tab

TabOf = Callable[..., Tab]


async def prompt() -> Message:
    return await Message.objects.filter(role="user").alatest("asked_at")


async def reply() -> Message:
    return await Message.objects.filter(role="assistant").alatest("asked_at")


async def edit(tab: Tab, text: str) -> None:
    message = str((await prompt()).pk)
    await tab.send(action="edit", message=message, text=text, key=str(uuid.uuid4()))


async def test_an_edited_message_stands_beside_the_old_one(
    alice: User, endpoint: Endpoint, tab_of: TabOf
) -> None:
    async with tab_of(alice) as tab:
        await tab.say("/echo one")
        await tab.until(ended)
        first = await prompt()
        await edit(tab, "/echo two")
        await tab.until(lambda page: page.prompts == ["/echo two"] and ended(page))
        assert "2/2" in tab.page.articles[0].text

        await tab.send(action="choose", message=str(first.pk))
        await tab.until(lambda page: page.prompts == ["/echo one"])
        assert "1/2" in tab.page.articles[0].text
        assert "one" in tab.page.part("text")

    async with tab_of(alice) as later:
        await later.until(lambda page: page.prompts == ["/echo one"])


async def test_the_same_edit_twice_asks_once(
    alice: User, endpoint: Endpoint, tab_of: TabOf
) -> None:
    async with tab_of(alice) as tab:
        await tab.say("/echo one")
        await tab.until(ended)
        frame = {"action": "edit", "message": str((await prompt()).pk), "text": "/echo two"}
        key = str(uuid.uuid4())
        for _ in range(3):
            await tab.send(**frame, key=key)
        await tab.until(lambda page: page.prompts == ["/echo two"] and ended(page))

    assert await Message.objects.filter(role="user").acount() == 2


async def test_a_reply_cut_by_its_length_goes_on_in_the_same_message(
    alice: User, endpoint: Endpoint, tab_of: TabOf
) -> None:
    async with tab_of(alice) as tab:
        await tab.say("/fault length /tokens 30")
        await tab.until(ended)
        cut = await reply()
        assert cut.can_continue
        await tab.send(action="continue", message=str(cut.pk))
        await tab.send(action="continue", message=str(cut.pk))
        await tab.until(lambda page: ended(page) and len(page.part("text")) > len(cut.text))

    whole = await reply()
    assert whole.pk == cut.pk
    assert whole.text.startswith(cut.text) and len(whole.text) > len(cut.text)
    assert whole.seams == [len(cut.text)]
    assert await Message.objects.acount() == 2


async def test_of_many_wishes_to_continue_at_once_one_is_granted(
    alice: User, endpoint: Endpoint, tab_of: TabOf
) -> None:
    async with tab_of(alice) as tab:
        await tab.say("/fault length /tokens 30")
        await tab.until(ended)
    cut = await reply()

    calls = await asyncio.gather(
        *(write(resume, alice, cut.pk, process="elsewhere") for _ in range(8))
    )

    granted = [call for call in calls if call is not None]
    assert [call.run for call in granted] == [1]
    assert (await reply()).seams == [len(cut.text)]


async def test_a_reply_that_the_endpoint_broke_off_says_so_and_goes_on(
    alice: User, endpoint: Endpoint, tab_of: TabOf
) -> None:
    async with tab_of(alice) as tab:
        await tab.say("/echo one")
        await tab.until(ended)
    await Message.objects.filter(role="assistant").aupdate(finish_reason="abort")

    async with tab_of(alice) as later:
        await later.until(lambda page: "Broken off by the endpoint" in str(page.articles))
    assert (await reply()).can_continue


async def test_a_continued_reply_counts_the_tokens_of_both_parts(
    alice: User, endpoint: Endpoint, tab_of: TabOf
) -> None:
    async with tab_of(alice) as tab:
        await tab.say("/fault length /tokens 30")
        await tab.until(ended)
        cut = await reply()
        assert cut.input_tokens and cut.output_tokens == 15
        await tab.send(action="continue", message=str(cut.pk))
        await tab.until(lambda page: ended(page) and len(page.part("text")) > len(cut.text))

    whole = await reply()
    assert whole.output_tokens is not None and whole.output_tokens > cut.output_tokens
    assert whole.input_tokens is not None and whole.input_tokens > 2 * cut.input_tokens


async def test_a_whole_reply_is_not_continued(
    alice: User, endpoint: Endpoint, tab_of: TabOf
) -> None:
    async with tab_of(alice) as tab:
        await tab.say("/echo all")
        await tab.until(ended)
        await tab.send(action="continue", message=str((await reply()).pk))
        await tab.until(lambda page: "cut short" in page.notice)


async def test_a_rating_is_kept_with_its_reason_and_can_be_taken_back(
    alice: User, endpoint: Endpoint, tab_of: TabOf
) -> None:
    async with tab_of(alice) as tab, tab_of(alice) as other:
        await tab.say("/echo hm")
        await tab.until(ended)
        message = str((await reply()).pk)
        await tab.send(action="dislike", message=message)
        await tab.until(lambda page: "Say why" in page.reply.text)
        await tab.send(action="dislike", message=message, reason="Too short.")
        await other.until(lambda page: "Too short." in page.reply.text)
        rated = await reply()
        await tab.send(action="unrate", message=message)
        await tab.until(lambda page: "You said" not in page.reply.text)

    assert (rated.rating, rated.rating_reason) == (-1, "Too short.")
    assert (await reply()).rating is None


async def test_a_removed_turn_takes_what_follows_with_it(
    alice: User, endpoint: Endpoint, tab_of: TabOf
) -> None:
    async with tab_of(alice) as tab:
        for text in ("/echo one", "/echo two", "/echo three"):
            await tab.say(text)
            await tab.until(lambda page, text=text: page.prompts[-1:] == [text] and ended(page))
        two = await Message.objects.aget(text="/echo two")
        await tab.send(action="remove", message=str(two.pk))
        await tab.until(lambda page: page.prompts == ["/echo one"])

    assert await Message.objects.acount() == 2


def test_a_turn_is_removed_however_much_follows_it(alice: User, conversation: Conversation) -> None:
    messages = grow(conversation, 1202)

    curation.remove(alice, messages[2].pk)

    assert {message.pk for message in conversation.messages.all()} == {m.pk for m in messages[:2]}


async def test_a_fork_is_a_conversation_of_its_own(
    alice: User, bob: User, endpoint: Endpoint, conversation: Conversation, tab_of: TabOf
) -> None:
    async with tab_of(alice) as tab:
        for text in ("/echo one", "/echo two"):
            await tab.say(text)
            await tab.until(lambda page, text=text: page.prompts[-1:] == [text] and ended(page))
    first = await Message.objects.filter(role="assistant").aearliest("asked_at")
    browser, stranger = AsyncClient(), AsyncClient()
    await browser.aforce_login(alice)
    await stranger.aforce_login(bob)

    assert (await stranger.post(f"/messages/{first.pk}/fork/")).status_code == 404
    answer = await browser.post(f"/messages/{first.pk}/fork/")

    new = await Conversation.objects.exclude(pk=conversation.pk).aget()
    copies = path_of([message async for message in new.messages.all()])
    assert answer.headers["location"] == f"/c/{new.pk}/"
    assert [message.text for message in copies] == ["/echo one", first.text]
    assert copies[1].status == Status.COMPLETE and copies[1].pk != first.pk
    assert await conversation.messages.acount() == 4


def test_a_fork_is_written_many_messages_at_once(alice: User, conversation: Conversation) -> None:
    messages = grow(conversation, 60)

    def queries(number: int) -> int:
        with CaptureQueriesContext(connection) as made:
            new = curation.fork(alice, messages[number].pk)
        texts = [message.text for message in path_of(list(new.messages.all()))]
        assert texts == [message.text for message in messages[: number + 1]]
        return len(made)

    assert queries(59) < queries(1) + 10


async def test_pages_for_one_message_are_their_owners_alone(
    alice: User, bob: User, endpoint: Endpoint, tab_of: TabOf
) -> None:
    async with tab_of(alice) as tab:
        await tab.say("/echo **hi**")
        await tab.until(ended)
    browser, stranger = AsyncClient(), AsyncClient()
    await browser.aforce_login(alice)
    await stranger.aforce_login(bob)
    asked, answered = await prompt(), await reply()

    for path in ("", "markdown/", "edit-form/"):
        assert (await stranger.get(f"/messages/{asked.pk}/{path}")).status_code == 404
    assert (await browser.get(f"/messages/{answered.pk}/markdown/")).content == b"**hi**"
    form = (await browser.get(f"/messages/{asked.pk}/edit-form/")).content.decode()
    assert "/echo **hi**" in form and "<html" in form
    part = await browser.get(f"/messages/{asked.pk}/edit-form/", headers={"HX-Request": "true"})
    assert "<html" not in part.content.decode()


async def test_the_plain_forms_do_the_same(alice: User, endpoint: Endpoint, tab_of: TabOf) -> None:
    async with tab_of(alice) as tab:
        await tab.say("/echo one")
        await tab.until(ended)
    browser = AsyncClient()
    await browser.aforce_login(alice)
    answered = await reply()

    liked = await browser.post(f"/messages/{answered.pk}/like/")
    unknown = await browser.post(f"/messages/{answered.pk}/dance/")
    removed = await browser.post(f"/messages/{answered.pk}/remove/")

    assert (liked.status_code, unknown.status_code, removed.status_code) == (302, 422, 302)
    assert "unknown" in unknown.content.decode()
    assert not await Message.objects.aexists()


async def test_lines_of_an_edit_and_of_a_reason_end_as_they_were_typed(
    browser: AsyncClient, endpoint: Endpoint, conversation: Conversation
) -> None:
    asked = await Message.objects.acreate(
        conversation=conversation, role=Role.USER, text="/echo one", endpoint=endpoint
    )
    answered = await Message.objects.acreate(
        conversation=conversation, parent=asked, role=Role.ASSISTANT, text="one"
    )
    form = {"text": "/echo two\r\nlines", "key": str(uuid.uuid4())}

    await browser.post(f"/messages/{answered.pk}/like/", {"reason": "so\r\nso"})
    await browser.post(f"/messages/{asked.pk}/edit/", form)

    await answered.arefresh_from_db()
    assert answered.rating_reason == "so\nso"
    assert (await prompt()).text == "/echo two\nlines"


async def test_what_answers_nothing_is_not_tried_again(
    browser: AsyncClient, endpoint: Endpoint, conversation: Conversation
) -> None:
    greeting = await Message.objects.acreate(
        conversation=conversation, role=Role.ASSISTANT, text="Welcome!", endpoint=endpoint
    )

    answer = await browser.post(f"/messages/{greeting.pk}/regenerate/")

    assert answer.status_code == 422
    assert "Only a reply can be tried again." in answer.content.decode()


async def test_a_copy_has_the_times_of_what_it_is_a_copy_of(
    alice: User, endpoint: Endpoint, tab_of: TabOf
) -> None:
    async with tab_of(alice) as tab:
        await tab.say("/echo one")
        await tab.until(ended)
    original = await reply()
    await Message.objects.aupdate(asked_at=F("asked_at") - timedelta(days=1))

    copy = await write(curation.fork, alice, original.pk)

    line = outcome_line(await copy.messages.aget(role="assistant"))
    assert line == outcome_line(await Message.objects.aget(pk=original.pk))
    assert "-" not in line


@pytest.mark.parametrize("action", ["choose", "remove"])
async def test_a_reason_without_a_rating_is_none(
    action: str, alice: User, endpoint: Endpoint, tab_of: TabOf, browser: AsyncClient
) -> None:
    async with tab_of(alice) as tab:
        await tab.say("/echo one")
        await tab.until(ended)

    address = f"/messages/{(await reply()).pk}/{action}/"
    assert (await browser.post(address, {"reason": "x"})).status_code == 302
