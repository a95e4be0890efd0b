"""The sidebar of every open page follows what happens to its person's conversations."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import AsyncClient
from django.utils import timezone

from chatapp.database import read
from chatapp.generation import hints, upkeep
from chatapp.generation.background import begin
from chatapp.library import catalog
from chatapp.models import Conversation, Endpoint
from tests.dom import Page
from tests.tab import Tab, sign_in

TabOf = Callable[..., Tab]


async def home_of(user: User, **options: Any) -> Tab:
    """A page without a conversation, whose session is the person's."""
    return Tab(None, await read(sign_in, user), lists=True, **options)


def has_marked(title: str, mark: str) -> Callable[[Page], bool]:
    return lambda page: f"{title} {mark}".strip() in page.listed


async def test_a_conversation_begun_in_one_tab_appears_in_the_others_with_its_marks(
    alice: User, conversation: Conversation, endpoint: Endpoint, tab_of: TabOf
) -> None:
    async with await home_of(alice) as home, tab_of(alice, lists=True) as tab:
        await home.until(lambda page: page.listed == ["New conversation"])
        await tab.say("/tokens 60 /pace 40 of whales")
        await home.until(has_marked("/tokens 60 /pace 40 of whales", "is being answered"))
        await tab.until(lambda page: page.status == "complete" and page.buttons == ["Send"])
        await home.until(has_marked("/tokens 60 /pace 40 of whales", ""))

    assert "has a new answer" not in " ".join(home.page.listed), "it was read along"
    assert tab.page.heading == "/tokens 60 /pace 40 of whales"


async def test_an_answer_that_nobody_saw_is_marked_until_it_is_opened(
    alice: User, conversation: Conversation, endpoint: Endpoint, tab_of: TabOf
) -> None:
    async with await home_of(alice) as home:
        async with tab_of(alice) as tab:
            await tab.say("/tokens 40 /pace 40 hm")
            await tab.until(lambda page: page.buttons == ["Stop"])
        await home.until(has_marked("/tokens 40 /pace 40 hm", "has a new answer"))
        async with tab_of(alice):
            await home.until(has_marked("/tokens 40 /pace 40 hm", ""))


async def test_what_is_done_to_whole_conversations_shows_everywhere(
    alice: User, conversation: Conversation, browser: AsyncClient, tab_of: TabOf
) -> None:
    other = await Conversation.objects.acreate(owner=alice, title="other")
    one = {"conversation": other.pk}
    async with tab_of(alice, lists=True) as tab:
        await tab.until(lambda page: page.listed == ["other", "New conversation"])
        await browser.post(f"/c/{other.pk}/rename/", {"title": "<b>another"})
        await tab.until(lambda page: page.listed == ["<b>another", "New conversation"])
        await browser.post("/conversations/pin/", one)
        await tab.until(lambda page: "Pinned" in page.root.by_id("listing").text)
        await browser.post("/conversations/archive/", one)
        await tab.until(lambda page: page.listed == ["New conversation"])
        await browser.post("/conversations/unarchive/", one)
        await tab.until(lambda page: len(page.listed) == 2)
        await browser.post("/conversations/delete/", one)
        await tab.until(lambda page: page.listed == ["New conversation"])
        await browser.post(f"/c/{conversation.pk}/rename/", {"title": "mine"})
        await tab.until(lambda page: (page.listed, page.heading) == (["mine"], "mine"))


async def test_the_pages_of_others_hear_nothing(
    alice: User, bob: User, conversation: Conversation, endpoint: Endpoint, tab_of: TabOf
) -> None:
    async with await home_of(bob) as foreign, await home_of(alice) as home:
        await foreign.until(lambda page: "will be listed here" in page.root.text)
        async with tab_of(alice) as tab:
            await tab.say("/echo secret")
            await home.until(has_marked("/echo secret", ""))
        assert await foreign.socket.receive_nothing(timeout=0.2)

    assert len(foreign.page.frames) == 1


async def test_a_list_that_looks_the_same_is_not_sent_again(
    alice: User, conversation: Conversation, tab_of: TabOf
) -> None:
    async with tab_of(alice, lists=True) as tab:
        await tab.until(lambda page: page.listed)
        hints.notify_list(alice.pk)
        assert await tab.socket.receive_nothing(timeout=1.5)


def put_away(owner: User, count: int) -> list[Conversation]:
    now = timezone.now()
    return [
        Conversation.objects.create(
            owner=owner, title=f"no {n}", active_at=now - timedelta(minutes=n)
        )
        for n in range(count)
    ]


async def test_what_was_fetched_later_stays_and_changes_too(
    alice: User, browser: AsyncClient
) -> None:
    them = await read(put_away, alice, catalog.PAGE + 5)
    until = (await read(catalog.listing, alice)).more
    below, moved, gone = them[-1], them[-2], them[-3]
    async with await home_of(alice, until=until) as home:
        older = "".join(f'<li id="older-{c.pk}">{c.title}</li>' for c in them[catalog.PAGE :])
        home.page.apply(f'<hx-partial hx-target="#tail" hx-swap="innerHTML">{older}</hx-partial>')
        await home.until(lambda page: len(page.listed) == catalog.PAGE)
        await browser.post(f"/c/{below.pk}/rename/", {"title": "renamed"})
        await home.until(lambda page: "renamed" in page.root.by_id(f"older-{below.pk}").text)
        await browser.post("/conversations/delete/", {"conversation": gone.pk})
        await home.until(lambda page: page.root.by_id(f"older-{gone.pk}") is None)
        await browser.post("/conversations/pin/", {"conversation": moved.pk})
        await home.until(lambda page: page.root.by_id(f"older-{moved.pk}") is None)

    assert home.page.listed[0] == moved.title
    assert len(home.page.listed) == catalog.PAGE + 1
    assert len(home.page.root.by_id("tail").all("li")) == 3


async def test_changes_that_no_hint_told_of_are_found_by_looking(
    alice: User, conversation: Conversation, tab_of: TabOf
) -> None:
    async with tab_of(alice, lists=True) as tab:
        await tab.until(lambda page: page.listed)
        begin(upkeep._look_for_changes())
        await Conversation.objects.acreate(owner=alice, title="from elsewhere")
        await tab.until(lambda page: "from elsewhere" in page.listed)


async def test_a_page_without_a_conversation_is_closed_with_its_session(alice: User) -> None:
    async with await home_of(alice) as home:
        await home.until(lambda page: page.frames)
        assert alice.pk in hints.watched_lists()
    async with asyncio.timeout(30):
        while hints.watched_lists():
            await asyncio.sleep(0.01)
    await Session.objects.all().adelete()
    async with Tab(None, "no-such-session", lists=True) as tab:
        assert await tab.until_closed() == 4401


async def test_such_a_page_takes_no_frames(alice: User) -> None:
    async with await home_of(alice) as home:
        await home.send(action="send", text="hi")
        await home.until_closed()

    assert "sends nothing here" in home.page.notice


async def test_nonsense_about_the_list_leaves_it_out(
    alice: User, conversation: Conversation, tab_of: TabOf
) -> None:
    async with tab_of(alice, lists=True, until="x~y") as tab:
        await tab.until(lambda page: page.frames)
        assert await tab.socket.receive_nothing(timeout=0.3)

    assert tab.page.listed == []
