"""A long conversation: its page, what comes as one scrolls, and what each costs the database."""

import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.db import connection
from django.test import AsyncClient
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chatapp.database import read, write
from chatapp.generation import queue, turns
from chatapp.generation.turns import Sending
from chatapp.limits import allowances
from chatapp.models import Conversation, Endpoint, Message
from chatapp.models.message import path_of
from chatapp.models.tree import WHOLE, complete, tree_of
from chatapp.page.following import OpenPage
from chatapp.page.tail import Tail
from chatapp.page.transcript import look
from chatapp.views.chat_page import chat_page
from tests.dom import Element, Page, tree
from tests.growing import grow
from tests.tab import Tab

TabOf = Callable[..., Tab]


def ids_in(html: str) -> list[uuid.UUID]:
    return [uuid.UUID(found) for found in re.findall(r'<article[^>]* id="message-([^"]+)"', html)]


def links_in(html: str) -> list[str]:
    found = re.findall(r'hx-get="(/c/[^"]+/part/[^"]+)"', html)
    return [link.replace("&amp;", "&") for link in found]


async def page_of(browser: AsyncClient, address: str) -> str:
    answer = await browser.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


async def upwards(browser: AsyncClient, html: str) -> list[uuid.UUID]:
    """All messages of a page after every link to older ones was followed."""
    shown = ids_in(html)
    while links := links_in(html):
        html = await page_of(browser, links[-1])
        shown = ids_in(html) + shown
    return shown


async def test_a_long_conversation_is_shown_from_its_end_and_read_up_to_its_first_message(
    browser: AsyncClient, conversation: Conversation
) -> None:
    made = [message.pk for message in await sync_to_async(grow)(conversation, 3 * WHOLE + 7)]

    html = await page_of(browser, f"/c/{conversation.pk}/")

    assert ids_in(html) == made[-WHOLE:]
    assert await upwards(browser, html) == made


async def test_older_messages_are_those_of_the_chosen_branches(
    browser: AsyncClient, conversation: Conversation
) -> None:
    def branches() -> list[uuid.UUID]:
        trunk = grow(conversation, 31)
        left_out = grow(conversation, 70, trunk[9])
        chosen = grow(conversation, 90, trunk[-1])
        grow(conversation, 5, left_out[-1])
        Message.objects.filter(pk=trunk[10].pk).update(chosen_at=timezone.now())
        return [message.pk for message in trunk + chosen]

    path = await sync_to_async(branches)()

    assert await upwards(browser, await page_of(browser, f"/c/{conversation.pk}/")) == path


async def test_a_link_to_an_old_message_shows_it_and_the_gap_closes_from_both_sides(
    browser: AsyncClient, conversation: Conversation
) -> None:
    made = [message.pk for message in await sync_to_async(grow)(conversation, 200)]

    html = await page_of(browser, f"/c/{conversation.pk}/?message={made[60]}")

    shown = ids_in(html)
    assert made[60] in shown and shown[-WHOLE:] == made[-WHOLE:] and len(shown) <= 2 * WHOLE
    history = shown[: -len(made[-WHOLE:])]
    assert history == made[made.index(history[0]) : made.index(history[-1]) + 1]
    older, forward, backward = links_in(html)
    between: list[uuid.UUID] = []
    while True:
        html = await page_of(browser, forward)
        between += ids_in(html)
        if not links_in(html):
            break
        forward = links_in(html)[0]
    assert history + between == made[made.index(history[0]) : -WHOLE]
    assert ids_in(await page_of(browser, backward)) == made[-2 * WHOLE : -WHOLE]
    assert ids_in(await page_of(browser, older))[-1] == made[made.index(history[0]) - 1]


async def test_without_scripts_older_and_following_messages_are_links_to_whole_pages(
    browser: AsyncClient, conversation: Conversation
) -> None:
    made = [message.pk for message in await sync_to_async(grow)(conversation, 100)]
    seen: set[uuid.UUID] = set()
    address = f"/c/{conversation.pk}/"
    while address:
        html = await page_of(browser, address)
        seen |= set(ids_in(html))
        rest = re.search(r"<nav[^>]* data-older>(.*?)</nav>", html, re.DOTALL)
        found = re.search(r'href="([^"#]+)', rest[1]) if rest else None
        address = found[1] if found else ""

    assert seen == set(made)


async def test_nobody_else_gets_a_part(
    browser: AsyncClient, bob: User, conversation: Conversation
) -> None:
    made = await sync_to_async(grow)(conversation, 3)
    stranger = AsyncClient()
    await stranger.aforce_login(bob)
    address = f"/c/{conversation.pk}/part/"

    assert (await stranger.get(f"{address}?before={made[2].pk}")).status_code == 404
    assert (await browser.get(f"{address}?before=nonsense")).status_code == 400
    assert ids_in(await page_of(browser, f"{address}?before={uuid.uuid4()}")) == []
    assert ids_in(await page_of(browser, f"{address}?before={made[2].pk}")) == [
        made[0].pk,
        made[1].pk,
    ]


async def test_a_reply_streams_in_a_long_conversation(
    alice: User, conversation: Conversation, endpoint: Endpoint, tab_of: TabOf
) -> None:
    conversation.endpoint = endpoint
    await conversation.asave()
    made = await sync_to_async(grow)(conversation, 100)
    after, first = str(made[-1].pk), str(made[-WHOLE].pk)

    async with tab_of(alice, after=after, first=first) as tab:
        await tab.say("/echo still here")
        page = await tab.until(lambda page: page.status == "complete")

    assert page.prompts == ["/echo still here"]
    assert page.part("text").strip() == "still here"


async def test_a_tail_that_grew_long_begins_late_and_says_so(
    alice: User, conversation: Conversation, tab_of: TabOf
) -> None:
    made = await sync_to_async(grow)(conversation, 100)

    async with tab_of(alice, after=str(made[1].pk)) as tab:
        page = await tab.until(lambda page: page.articles)

    assert len(page.articles) == WHOLE
    assert f"{100 - 2 - WHOLE} messages between" in page.root.text


def holding(messages: list[Message]) -> Page:
    """A page that HTTP rendered with these."""
    page = Page()
    history = page.root.by_id("history")
    assert history is not None
    for message in messages:
        html = f'<article class="message" id="message-{message.pk}" data-role="x"></article>'
        history.append(next(e for e in tree(html).children if isinstance(e, Element)))
    return page


async def test_a_change_reaches_the_messages_that_the_page_has_loaded_and_no_others(
    alice: User, conversation: Conversation, endpoint: Endpoint, tab_of: TabOf
) -> None:
    made = await sync_to_async(grow)(conversation, 100)
    shown = f"{made[-1].pk}&first={made[-WHOLE].pk}"

    async with tab_of(alice, after=shown) as tab:
        tab.page = holding(made[-WHOLE:])
        await tab.send(action="like", message=str(made[1].pk))
        await tab.send(action="like", message=str(made[-1].pk))
        await tab.until(lambda page: "Good reply" in page.root.html)
        assert not any(str(made[1].pk) in frame for frame in tab.page.frames)

        older = holding(made)
        older.frames = tab.page.frames
        tab.page = older
        await tab.send(action="show", message=str(made[0].pk))
        await tab.send(action="dislike", message=str(made[1].pk))
        await tab.until(lambda page: "What was wrong" in html_of(page, made[1]))


def html_of(page: Page, message: Message) -> str:
    article = page.root.by_id(f"message-{message.pk}")
    return article.html if article else ""


def queries(work: Callable[..., Any], *args: Any, **kwargs: Any) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        work(*args, **kwargs)
    return [query["sql"] for query in captured.captured_queries]


async def test_the_look_of_a_message_needs_no_text(conversation: Conversation) -> None:
    def check() -> list[str]:
        grow(conversation, WHOLE + 5)
        path = path_of(tree_of(conversation.pk))
        return queries(lambda: [look(message) for message in path])

    assert await read(check) == []


async def test_what_is_incomplete_is_completed_in_one_query(conversation: Conversation) -> None:
    def check() -> tuple[int, list[str]]:
        grow(conversation, WHOLE + 5)
        path = path_of(tree_of(conversation.pk))
        asked = len(queries(complete, path))
        return asked + len(queries(lambda: [message.text for message in path])), [
            message.text for message in path
        ]

    asked, texts = await read(check)

    assert asked == 1
    assert texts == [f"number {i}" for i in range(WHOLE + 5)]


@pytest.fixture
async def limits_are_known(monkeypatch: pytest.MonkeyPatch, transactional_db: None) -> None:
    """Else they are asked for once in five seconds, which may be between two counts of queries."""
    monkeypatch.setattr(allowances, "_LOOK_AGAIN_S", 3600.0)
    await read(allowances.are_set)


async def test_opening_a_page_costs_the_same_queries_however_long_the_conversation(
    browser: AsyncClient, conversation: Conversation, endpoint: Endpoint, limits_are_known: None
) -> None:
    async def opened() -> list[str]:
        request = (await browser.get(f"/c/{conversation.pk}/")).asgi_request
        user = await request.auser()
        return await read(queries, chat_page, request, user, conversation.pk)

    await sync_to_async(grow)(conversation, 6)
    short = await opened()
    await sync_to_async(grow)(conversation, 300, await conversation.messages.alatest("asked_at"))
    long = await opened()

    # The conversation, its endpoint, messages, queue and shares, one of the list, the endpoints,
    # the presets; the tree when it is long.
    assert (len(short), len(long)) == (8, 9)


async def test_a_question_costs_the_same_queries_however_long_the_conversation(
    alice: User, conversation: Conversation, endpoint: Endpoint, limits_are_known: None
) -> None:
    conversation.endpoint = endpoint
    await conversation.asave()

    async def asked(text: str) -> list[str]:
        sending = Sending(conversation.pk, text, uuid.uuid4())
        sent = await write(queries, turns.ask, alice, sending, process="nobody")
        await Message.objects.filter(status="queued").aupdate(status="complete", text="An answer.")
        return sent

    short = await asked("first")
    last = await Message.objects.aget(role="assistant")
    await sync_to_async(grow)(conversation, 300, last)
    long = await asked("second")

    assert len(short) == len(long)
    # Begin, conversation, key, messages, two rows, their conversation, commit.
    assert len([sql for sql in long if sql.startswith(("SELECT", "INSERT", "UPDATE"))]) <= 7
    assert not any("arrivals" in sql for sql in long if sql.startswith("SELECT"))


async def test_what_waits_reads_no_text_of_a_long_conversation(
    alice: User, conversation: Conversation, endpoint: Endpoint
) -> None:
    await sync_to_async(grow)(conversation, 300)
    waiting = Sending(conversation.pk, "and then?", uuid.uuid4(), endpoint.pk)

    made = await write(queries, queue.enqueue, alice, waiting)
    made += await write(queries, queue.send_next, conversation.pk, process="nobody")

    assert await Message.objects.filter(text="and then?").aexists()
    assert all("LIMIT" in sql for sql in made if sql.startswith("SELECT") and "arrivals" in sql)


async def test_connecting_costs_three_queries_or_four(conversation: Conversation) -> None:
    def connected() -> list[str]:
        return queries(OpenPage(conversation.pk, Tail(None, None)).news)

    await sync_to_async(grow)(conversation, 6)
    short = await read(connected)
    await sync_to_async(grow)(conversation, 300, await conversation.messages.alatest("asked_at"))
    long = await read(connected)

    # That it is kept, its messages, whether any wait; the tree when it is long.
    assert (len(short), len(long)) == (3, 4)
