"""What a search shows, and where it leads."""

import re
import uuid

from django.contrib.auth.models import User
from django.test import AsyncClient

from chatapp.database import read, write
from chatapp.models import Conversation, Message
from chatapp.models.message import path_of
from chatapp.models.search import index


def versions(owner: User) -> tuple[Conversation, list[Message]]:
    """A question, two answers to it of which the second is shown, and one more turn under the
    first."""
    conversation = Conversation.objects.create(owner=owner, title="A title")

    def say(role: str, text: str, parent: Message | None) -> Message:
        message = Message.objects.create(
            conversation=conversation, role=role, text=text, parent=parent, key=uuid.uuid4()
        )
        index({message.pk: text})
        return message

    asked = say("user", "what is a walrus", None)
    first = say("assistant", "a large one", asked)
    more = say("user", "tell me of its tusks", first)
    last = say("assistant", "they are ivory", more)
    second = say("assistant", "an animal", asked)
    return conversation, [asked, first, more, last, second]


async def test_a_hit_leads_to_the_message_that_was_found(alice: User, browser: AsyncClient) -> None:
    conversation, (asked, *_) = await write(versions, alice)

    page = (await browser.get("/search/", {"q": "walrus"})).content.decode()
    (link,) = re.findall(r'href="(/c/[^"]+message[^"]+)"', page)
    found = (await browser.get(link)).content.decode()

    assert link == f"/c/{conversation.pk}/?message={asked.pk}#message-{asked.pk}"
    assert f'id="message-{asked.pk}"' in found
    assert "another version" not in found
    assert "1 conversation" in page


async def test_a_message_of_another_version_is_offered_and_shown_when_asked_for(
    alice: User, browser: AsyncClient
) -> None:
    conversation, (asked, first, more, last, second) = await write(versions, alice)
    address = f"/c/{conversation.pk}/"

    def shown() -> list[Message]:
        return path_of(list(conversation.messages.all()))

    page = (await browser.get(address, {"message": last.pk})).content.decode()
    assert "in another version" in page and f"/messages/{last.pk}/choose/" in page
    assert await read(shown) == [asked, second], "looking changes nothing"

    answer = await browser.post(f"/messages/{last.pk}/choose/")
    assert answer["Location"] == f"{address}#message-{last.pk}"
    assert await read(shown) == [asked, first, more, last]


async def test_a_message_that_is_not_of_the_conversation_is_not_spoken_of(
    alice: User, bob: User, browser: AsyncClient
) -> None:
    _, theirs = await write(versions, bob)
    mine = await Conversation.objects.acreate(owner=alice)

    for asked_for in (theirs[0].pk, uuid.uuid4(), "x"):
        page = await browser.get(f"/c/{mine.pk}/", {"message": asked_for})
        assert "another version" not in page.content.decode()


async def test_a_search_page_says_what_it_is_for_and_when_it_finds_nothing(
    alice: User, browser: AsyncClient
) -> None:
    empty = (await browser.get("/search/")).content.decode()
    nothing = (await browser.get("/search/", {"q": "whatever"})).content.decode()

    assert "Finds your conversations" in empty
    assert "Nothing of yours has all of these words" in nothing
