"""Links: what their readers see, and when they stop working."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import AsyncClient
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chatapp.database import write
from chatapp.errors import InvalidInput
from chatapp.generation import turns
from chatapp.library import catalog, curation, sharing
from chatapp.models import Attachment, Conversation, Endpoint, Message, Role, Share, Status
from chatapp.models.message import path_of


@pytest.fixture
def talk(conversation: Conversation) -> list[Message]:
    """A prompt and its reply."""
    conversation.title = "Tides"
    conversation.system_prompt = "Speak like the sea"
    conversation.save()
    prompt = said(conversation, None, "Why are there tides?")
    return [prompt, said(conversation, prompt, "Because of **the moon**.")]


def said(conversation: Conversation, parent: Message | None, text: str, **fields: Any) -> Message:
    role = Role.USER if parent is None or parent.role == Role.ASSISTANT else Role.ASSISTANT
    return Message.objects.create(
        conversation=conversation, parent=parent, role=role, text=text, **fields
    )


@pytest.fixture
async def reader(bob: User) -> AsyncClient:
    """Bob, signed in, without scripts."""
    client = AsyncClient()
    await client.aforce_login(bob)
    return client


async def shared(user: User, conversation: Conversation, *, grows: bool = False) -> str:
    link = await write(sharing.share, user, conversation.pk, grows=grows)
    return f"/s/{link.pk}/"


async def text_of(client: AsyncClient, address: str) -> str:
    answer = await client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


async def transcript_of(client: AsyncClient, address: str) -> str:
    return (await text_of(client, address)).partition('role="log"')[2]


async def test_a_reader_sees_the_transcript_and_nothing_that_acts(
    alice: User, talk: list[Message], reader: AsyncClient
) -> None:
    address = await shared(alice, talk[0].conversation)

    page = await text_of(reader, address)

    assert "Why are there tides?" in page and "<strong>the moon</strong>" in page
    assert "Shared by alice as it stood on" in page
    assert "Speak like the sea" not in page
    for acting in ("composer", "Edit and send again", "Regenerate", "Good reply", "/messages/"):
        assert acting not in page


async def test_a_reader_is_told_of_an_error_but_not_asked_to_retry(
    alice: User, talk: list[Message], reader: AsyncClient
) -> None:
    talk[1].status, talk[1].error_kind = Status.ERROR, "overloaded"
    await talk[1].asave()

    page = await text_of(reader, await shared(alice, talk[0].conversation))

    assert "overloaded or still starting" in page
    assert "Retry" not in page


async def test_a_shared_page_stays_out_of_caches_indexes_and_referrers(
    alice: User, talk: list[Message], reader: AsyncClient
) -> None:
    answer = await reader.get(await shared(alice, talk[0].conversation))

    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert "noindex" in answer.headers["X-Robots-Tag"]
    assert "no-store" in answer.headers["Cache-Control"]
    assert '<meta name="robots" content="noindex' in answer.content.decode()


async def test_a_link_keeps_the_conversation_as_it_stood_or_follows_it(
    alice: User, talk: list[Message], reader: AsyncClient
) -> None:
    stood = await shared(alice, talk[0].conversation)
    grows = await shared(alice, talk[0].conversation, grows=True)
    await write(said, talk[0].conversation, talk[1], "And on Mars?")
    await write(said, talk[0].conversation, talk[0], "Another version.")

    assert "the moon" in await text_of(reader, stood)
    assert "Another version." not in await text_of(reader, stood)
    assert "Another version." in await text_of(reader, grows)
    assert "the moon" not in await text_of(reader, grows)

    await write(curation.choose, alice, talk[1].pk)
    assert "And on Mars?" in await text_of(reader, grows)
    assert "And on Mars?" not in await text_of(reader, stood)


async def test_a_link_keeps_a_reply_that_is_continued_as_it_stood(
    alice: User, talk: list[Message], reader: AsyncClient, endpoint: Endpoint
) -> None:
    await Message.objects.filter(pk=talk[1].pk).aupdate(
        status=Status.STOPPED, output_tokens=7, endpoint=endpoint, request_id="secret-7"
    )
    stood, grows = [
        await shared(alice, talk[0].conversation, grows=grows) for grows in (False, True)
    ]
    before = await transcript_of(reader, stood)
    assert "Stopped" in before and "7 tokens" in before

    await write(turns.resume, alice, talk[1].pk, process="any")
    assert await transcript_of(reader, stood) == before
    now = timezone.now()
    await Message.objects.filter(pk=talk[1].pk).aupdate(
        text="Because of **the moon**. And the sun.", status=Status.COMPLETE, finished_at=now
    )

    assert await transcript_of(reader, stood) == before
    assert "And the sun." in await text_of(reader, grows)
    assert await shared(alice, talk[0].conversation) != stood, "it stands otherwise now"
    await reader.post(f"{stood}copy/")
    copied = await Message.objects.aget(conversation__owner__username="bob", role=Role.ASSISTANT)
    assert (copied.text, copied.status) == ("Because of **the moon**.", Status.STOPPED)


async def test_a_shared_page_tells_the_time_of_its_reader(
    alice: User, talk: list[Message], reader: AsyncClient
) -> None:
    at = datetime(2025, 6, 1, 12, 30, tzinfo=UTC)
    address = await shared(alice, talk[0].conversation)
    await Share.objects.aupdate(created_at=at)
    reader.cookies["timezone"] = "Asia/Tokyo"

    page = await text_of(reader, address)

    assert '<time datetime="2025-06-01T21:30:00+09:00"' in page and "21:30 JST" in page


async def test_a_growing_link_shows_a_reply_so_far(
    alice: User, talk: list[Message], reader: AsyncClient
) -> None:
    prompt = await write(said, talk[0].conversation, talk[1], "And on Mars?")
    later = timezone.now() + timedelta(minutes=1)
    await write(
        said, talk[0].conversation, prompt, "Two sm", status=Status.STREAMING, lease_until=later
    )
    stood = await shared(alice, talk[0].conversation)
    grows = await shared(alice, talk[0].conversation, grows=True)

    assert "Two sm" in await text_of(reader, grows)
    assert "Reload to see more" in await text_of(reader, grows)
    assert "Two sm" not in await text_of(reader, stood)
    assert "Reload to see more" not in await text_of(reader, stood)


async def test_who_is_not_signed_in_comes_back_after_signing_in(
    alice: User, talk: list[Message], bob: User
) -> None:
    address = await shared(alice, talk[0].conversation)
    stranger = AsyncClient()

    sent_away = await stranger.get(address)
    form = {"username": "bob", "password": "battery staple", "next": address}
    back = await stranger.post(sent_away.headers["location"], form)

    assert sent_away.headers["location"] == f"/login/?next={address}"
    assert back.headers["location"] == address


async def test_every_link_that_leads_nowhere_looks_the_same(
    alice: User, talk: list[Message], reader: AsyncClient
) -> None:
    conversation = talk[0].conversation

    async def answer_to(address: str) -> tuple[int, bytes]:
        answer = await reader.get(address)
        return answer.status_code, answer.content

    guessed = await answer_to("/s/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/")
    assert guessed[0] == 404
    assert await answer_to(f"/s/{uuid.uuid4()}/") == guessed

    address = await shared(alice, conversation)
    await write(sharing.revoke, alice, address.split("/")[2])
    assert await answer_to(address) == guessed

    for grows in (True, False):
        address = await shared(alice, conversation, grows=grows)
        await write(catalog.delete, alice, [conversation.pk])
        assert await answer_to(address) == guessed
        await write(catalog.restore, alice, [conversation.pk])
        assert (await answer_to(address))[0] == 200

        await User.objects.filter(pk=alice.pk).aupdate(is_active=False)
        assert await answer_to(address) == guessed
        await User.objects.filter(pk=alice.pk).aupdate(is_active=True)

    both = [await shared(alice, conversation, grows=grows) for grows in (True, False)]
    await write(curation.remove, alice, talk[0].pk)
    assert [await answer_to(address) for address in both] == [guessed, guessed]


async def test_messages_that_were_deleted_since_are_gone_from_the_link(
    alice: User, talk: list[Message], reader: AsyncClient
) -> None:
    await write(said, talk[0].conversation, talk[1], "A slip of the tongue")
    address = await shared(alice, talk[0].conversation)

    await write(curation.remove, alice, (await Message.objects.alast()).pk)  # type: ignore[union-attr]

    assert "A slip" not in await text_of(reader, address)
    assert "the moon" in await text_of(reader, address)


async def test_a_link_opens_nothing_but_its_page(
    alice: User, talk: list[Message], reader: AsyncClient
) -> None:
    address = await shared(alice, talk[0].conversation, grows=True)

    assert (await reader.get(f"/c/{talk[0].conversation_id}/")).status_code == 404
    assert (await reader.get(f"/messages/{talk[0].pk}/markdown/")).status_code == 404
    assert (await reader.post(f"{address}revoke/")).status_code == 404
    assert (await reader.post(f"/c/{talk[0].conversation_id}/share/")).status_code == 404
    assert await Share.objects.filter(revoked_at=None).acount() == 1


async def test_a_link_keeps_the_title_as_it_stood(
    alice: User, talk: list[Message], reader: AsyncClient
) -> None:
    stands = await shared(alice, talk[0].conversation)
    grows = await shared(alice, talk[0].conversation, grows=True)
    await write(catalog.rename, alice, talk[0].conversation_id, "My secret")

    assert "My secret" not in await text_of(reader, stands)
    assert "<h1>My secret</h1>" in await text_of(reader, grows)


async def test_the_files_of_a_copy_are_the_readers(
    alice: User, bob: User, talk: list[Message], reader: AsyncClient
) -> None:
    await Attachment.objects.acreate(owner=alice, message=talk[0], name="a", size=1, data=b"x")
    await Message.objects.filter(pk=talk[0].pk).aupdate(file_count=1)
    link = await shared(alice, talk[0].conversation)
    await reader.post(f"{link}copy/")

    copied = await Attachment.objects.aget(message__conversation__owner=bob)
    assert copied.owner_id == bob.pk


async def test_a_copy_takes_no_query_for_each_reply(
    alice: User, bob: User, conversation: Conversation, endpoint: Endpoint
) -> None:
    last = None
    for number in range(20):
        last = await write(said, conversation, last, f"{number}", endpoint=endpoint)
    link = await write(sharing.share, alice, conversation.pk, grows=False)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            sharing.copy(bob, link.pk)
        return len(captured)

    assert await write(queries) < 20


async def test_the_same_link_is_made_once(alice: User, talk: list[Message]) -> None:
    first = await shared(alice, talk[0].conversation)

    assert await shared(alice, talk[0].conversation) == first
    assert await shared(alice, talk[0].conversation, grows=True) != first
    await write(sharing.revoke, alice, first.split("/")[2])
    assert await shared(alice, talk[0].conversation) != first


async def test_nothing_said_is_nothing_to_share(alice: User, conversation: Conversation) -> None:
    with pytest.raises(InvalidInput, match="say something first"):
        await shared(alice, conversation)


async def test_links_are_made_listed_and_revoked_without_scripts(
    browser: AsyncClient, talk: list[Message]
) -> None:
    made = await browser.post(f"/c/{talk[0].conversation_id}/share/", {"kind": "grows"})
    link = await Share.objects.aget()
    page = await text_of(browser, made.headers["location"])
    menu = await text_of(browser, f"/c/{talk[0].conversation_id}/")

    assert "The link is made" in page and f"/s/{link.pk}/" in page and "Tides" in page
    assert f"/s/{link.pk}/" in menu and "As it grows, " in menu

    gone = await browser.post(f"/s/{link.pk}/revoke/")
    assert gone.headers["location"] == "/links/"
    assert "You share nothing" in await text_of(browser, "/links/")


async def test_the_menu_gets_its_links_in_place(browser: AsyncClient, talk: list[Message]) -> None:
    address = f"/c/{talk[0].conversation_id}/share/"

    made = await browser.post(address, {"kind": "stands"}, headers={"HX-Request": "true"})

    html = made.content.decode()
    assert html.count('id="links"') == 1 and "As it stood, " in html
    assert "csrfmiddlewaretoken" in html and "<html" not in html


async def test_a_reader_makes_a_copy_of_what_they_could_read(
    alice: User, bob: User, talk: list[Message], reader: AsyncClient
) -> None:
    talk[1].system_prompt, talk[1].request_id = "Speak like the sea", "req-1"
    await talk[1].asave()
    prompt = await write(said, talk[0].conversation, talk[1], "And on Mars?")
    later = timezone.now() + timedelta(minutes=1)
    await write(said, talk[0].conversation, prompt, "Tw", status=Status.QUEUED, lease_until=later)
    address = await shared(alice, talk[0].conversation, grows=True)

    answer = await reader.post(f"{address}copy/")

    mine = await Conversation.objects.aget(owner=bob)
    path = path_of([message async for message in mine.messages.all()])
    assert answer.headers["location"] == f"/c/{mine.pk}/"
    assert [m.text for m in path] == ["Why are there tides?", "Because of **the moon**."]
    assert (mine.title, mine.system_prompt) == ("Tides", "")
    assert {(m.system_prompt, m.request_id) for m in path} == {("", "")}
    assert await talk[0].conversation.messages.acount() == 4


async def test_what_is_not_answered_yet_is_not_copied(
    alice: User, conversation: Conversation, reader: AsyncClient
) -> None:
    prompt = await write(said, conversation, None, "Why are there tides?")
    later = timezone.now() + timedelta(minutes=1)
    await write(said, conversation, prompt, "Be", status=Status.STREAMING, lease_until=later)

    answer = await reader.post(f"{await shared(alice, conversation, grows=True)}copy/")

    assert answer.status_code == 422
    assert "Copy it when it is finished" in answer.content.decode()
