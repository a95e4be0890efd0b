"""The list of a person's conversations, and what they do with whole ones."""

import asyncio
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import AsyncClient
from django.utils import timezone

from chatapp.database import read
from chatapp.errors import InvalidInput
from chatapp.library import catalog
from chatapp.models import Conversation, Endpoint, Message
from chatapp.models.message import LIVE
from tests.dom import Page
from tests.tab import Tab


def make(owner: User, title: str, age: timedelta = timedelta(), **fields: Any) -> Conversation:
    at = timezone.now() - age
    return Conversation.objects.create(owner=owner, title=title, active_at=at, **fields)


async def amake(*args: Any, **fields: Any) -> Conversation:
    return await read(make, *args, **fields)


def titles(page: catalog.Listing) -> list[str]:
    return [conversation.title for group in page.groups for conversation in group.conversations]


def test_the_list_is_by_day_with_the_pinned_first(alice: User, bob: User) -> None:
    make(alice, "old", timedelta(days=100))
    make(alice, "today")
    make(alice, "yesterday", timedelta(days=1))
    make(alice, "this week", timedelta(days=4))
    make(alice, "kept", timedelta(days=300), pinned_at=timezone.now())
    make(alice, "put away", archived_at=timezone.now())
    make(alice, "gone", deleted_at=timezone.now())
    make(bob, "somebody else's")

    page = catalog.listing(alice)

    assert titles(page) == ["kept", "today", "yesterday", "this week", "old"]
    assert [group.heading for group in page.groups][:4] == [
        "Pinned",
        "Today",
        "Yesterday",
        "Previous 7 days",
    ]
    assert titles(catalog.listing(alice, archived=True)) == ["put away"]


def test_pages_follow_one_another_without_gap_or_repeat(alice: User) -> None:
    at = timezone.now()
    for n in range(95):
        Conversation.objects.create(owner=alice, title=str(n), active_at=at)
    seen: list[str] = []
    after = ""
    for _ in range(3):
        page = catalog.listing(alice, after)
        seen += titles(page)
        after = page.more

    assert len(seen) == len(set(seen)) == 95 and after == ""


@pytest.mark.parametrize(
    "after", ["x", "2026-01-01~x", "~", f"2026-01-01T00:00:00~{uuid.UUID(int=1)}"]
)
def test_a_place_that_was_never_given_out_is_refused(alice: User, after: str) -> None:
    with pytest.raises(InvalidInput, match="place in the list"):
        catalog.listing(alice, after)


async def test_whole_conversations_are_pinned_archived_deleted_and_brought_back(
    alice: User, browser: AsyncClient
) -> None:
    one, two = await amake(alice, "one"), await amake(alice, "two")
    both = {"conversation": [one.pk, two.pk]}

    await browser.post("/conversations/pin/", {"conversation": one.pk})
    assert (await read(catalog.listing, alice)).groups[0].heading == "Pinned"
    await browser.post("/conversations/archive/", both)
    assert titles(await read(catalog.listing, alice)) == []
    await browser.post("/conversations/unarchive/", both)
    answer = await browser.post("/conversations/delete/", both, follow=True)
    assert titles(await read(catalog.listing, alice)) == []
    assert (await browser.get(f"/c/{one.pk}/")).status_code == 404
    assert "2 conversations were deleted" in answer.content.decode()
    await browser.post("/conversations/restore/", both)
    assert set(titles(await read(catalog.listing, alice))) == {"one", "two"}


def test_what_is_deleted_already_is_no_obstacle(alice: User) -> None:
    gone, kept = (Conversation.objects.create(owner=alice) for _ in range(2))
    catalog.delete(alice, [gone.pk])

    assert catalog.delete(alice, [gone.pk]) == 0
    assert catalog.delete(alice, [gone.pk, kept.pk]) == 1


async def test_nobody_changes_what_is_not_theirs(
    alice: User, bob: User, browser: AsyncClient
) -> None:
    mine, theirs = await amake(alice, "mine"), await amake(bob, "theirs")
    both = {"conversation": [mine.pk, theirs.pk]}

    for action in ("pin", "archive", "delete"):
        assert (await browser.post(f"/conversations/{action}/", both)).status_code == 404
    assert (await browser.post(f"/c/{theirs.pk}/rename/", {"title": "x"})).status_code == 404
    assert (await browser.post("/conversations/dance/", both)).status_code == 404
    assert (await browser.post("/conversations/pin/", {"conversation": "x"})).status_code == 400
    await theirs.arefresh_from_db()
    assert (theirs.title, theirs.pinned_at, theirs.deleted_at) == ("theirs", None, None)


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("  A  new\nname ", "A new name"),
        ("<b>&", "<b>&"),
        ("a\0b", "a\ufffdb"),
        ("a\x07b\u202ec", "abc"),
    ],
)
async def test_a_title_is_kept_as_one_line(
    alice: User, browser: AsyncClient, typed: str, stored: str
) -> None:
    conversation = await amake(alice, "old")

    answer = await browser.post(f"/c/{conversation.pk}/rename/", {"title": typed})

    await conversation.arefresh_from_db()
    assert answer.status_code == 302
    assert (conversation.title, conversation.is_title_own) == (stored, True)
    assert "<b>&" not in (await browser.get("/conversations/")).content.decode()


@pytest.mark.parametrize("title", ["", " \n", "x" * 81])
async def test_a_title_that_cannot_be_is_refused_in_words(
    alice: User, browser: AsyncClient, title: str
) -> None:
    conversation = await amake(alice, "old")

    answer = await browser.post(f"/c/{conversation.pk}/rename/", {"title": title})

    await conversation.arefresh_from_db()
    assert answer.status_code == 422 and conversation.title == "old"
    assert "title" in answer.content.decode()


async def test_an_answer_is_news_until_it_is_seen(
    alice: User, endpoint: Endpoint, tab_of: Callable[..., Tab]
) -> None:
    def states() -> tuple[bool, bool]:
        conversation = catalog.listing(alice).groups[0].conversations[0]
        return conversation.is_running, conversation.is_news  # type: ignore[attr-defined]

    def is_over(page: Page) -> bool:
        return page.status == "complete" and page.buttons == ["Send"]

    async with tab_of(alice) as tab:
        await tab.say("/echo hi")
        await tab.until(is_over)
    assert await read(states) == (False, False), "it was read along"

    async with tab_of(alice) as tab:
        await tab.say("/tokens 60 /pace 60")
        await tab.until(lambda page: page.buttons == ["Stop"])
    assert (await read(states))[0]
    while await Message.objects.filter(status__in=LIVE).aexists():
        await asyncio.sleep(0.02)
    assert await read(states) == (False, True)
    async with tab_of(alice) as tab:
        await tab.until(is_over)
        while await read(states) != (False, False):
            await asyncio.sleep(0.02)


async def test_a_deleted_conversation_stops_and_closes_wherever_it_is_open(
    alice: User,
    endpoint: Endpoint,
    conversation: Conversation,
    browser: AsyncClient,
    tab_of: Callable[..., Tab],
) -> None:
    async with tab_of(alice) as tab:
        await tab.say("/tokens 2000 /pace 50")
        await tab.until(lambda page: page.buttons == ["Stop"])
        await browser.post("/conversations/delete/", {"conversation": conversation.pk})

        assert await tab.until_closed() == 4404
        async with asyncio.timeout(30):
            while await Message.objects.filter(status__in=LIVE).aexists():
                await asyncio.sleep(0.02)
