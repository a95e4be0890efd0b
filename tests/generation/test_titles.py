"""A conversation's title: the beginning of its prompt, then what the endpoint makes of it."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import AsyncClient

from chatapp.demo.server import PROTOCOLS, DemoServer
from chatapp.generation import titles
from chatapp.generation.titles import WISH, clean_title
from chatapp.models import Conversation, Endpoint, UsageFigure
from chatapp.models.conversation import TITLE_CHARS
from chatapp.upstream.options import asks_titles, check_options
from tests.tab import Tab
from tests.upstream.scripted import DONE, TOKEN, Peer, Script, answering, upstream

TabOf = Callable[..., Tab]


@pytest.mark.parametrize(
    ("answer", "title"),
    [
        ("Whales of the north", "Whales of the north"),
        ("  “Whales of the north.”\n", "Whales of the north"),
        ("**Title:** *Whales*", "Whales"),
        ("# Titel: „Wale“", "Wale"),
        ("Here is a title:\n\n- `Whales`", "Whales"),
        ("Whales\nand a second line", "Whales"),
        ("<think>Hm, whales?\nYes.</think>\n\nWhales", "Whales"),
        ("so, whales it is</think>Whales", "Whales"),
        ("<think>never ends", ""),
        ("\n \n", ""),
        ("…", "…"),
        ("「鯨の歌」", "鯨の歌"),
        ("标题：鲸鱼之歌。", "鲸鱼之歌"),
        ("A\u202e\u2066 \x07whales\u200b\x00\ufeff", "A whales"),
        ("Family 👨\u200d👩\u200d👧", "Family 👨\u200d👩\u200d👧"),
        ("C# and <b>bold</b>", "C# and <b>bold</b>"),
    ],
)
def test_a_title_is_one_line_of_plain_text(answer: str, title: str) -> None:
    assert clean_title(answer) == title


def test_a_title_is_not_longer_than_titles_are() -> None:
    title = clean_title("whale " * 50)

    assert len(title) <= TITLE_CHARS and title.endswith("whale…")


async def titled(endpoint: Endpoint) -> None:
    endpoint.options = {"titles": True}
    await endpoint.asave()


async def answered(tab: Tab, text: str) -> None:
    await tab.say(text)
    await tab.until(lambda page: page.status == "complete" and page.buttons == ["Send"])


async def until_asked() -> None:
    """Whatever is to be asked for a title has answered, or nothing was asked."""
    async with asyncio.timeout(30):
        while titles._worker is not None and not titles._worker.done():
            await asyncio.sleep(0.01)


async def test_a_title_comes_from_the_first_exchange_over_every_wire(
    alice: User, model: DemoServer, tab_of: TabOf
) -> None:
    found = {}
    for protocol in PROTOCOLS:
        await Endpoint.objects.all().adelete()
        await Endpoint.objects.acreate(
            name=protocol, protocol=protocol, url=model.url(protocol), options={"titles": True}
        )
        conversation = await Conversation.objects.acreate(owner=alice)
        async with tab_of(alice, conversation.pk) as tab:
            await answered(tab, "/pace max please tell me about the whales of the north sea, now")
        await until_asked()
        await conversation.arefresh_from_db()
        found[protocol] = conversation.title, conversation.is_title_own

    assert found == dict.fromkeys(PROTOCOLS, ("Whales of the north sea, now", False))


async def test_a_second_exchange_leaves_the_title_alone(
    alice: User, conversation: Conversation, endpoint: Endpoint, tab_of: TabOf
) -> None:
    await titled(endpoint)
    async with tab_of(alice) as tab:
        await answered(tab, "/echo of one thing")
        await until_asked()
        await answered(tab, "/echo of another")
        await until_asked()

    await conversation.arefresh_from_db()
    assert conversation.title == "Of one thing"


async def test_the_tokens_of_titles_are_usage_of_the_day(
    alice: User, conversation: Conversation, endpoint: Endpoint, tab_of: TabOf
) -> None:
    await titled(endpoint)
    async with tab_of(alice) as tab:
        await answered(tab, "/echo of one thing")
        await until_asked()

    figure = await UsageFigure.objects.aget()
    assert (figure.user_id, figure.endpoint_name) == (alice.pk, "scripted")
    assert figure.messages == 0 and figure.input_tokens > 0 and figure.output_tokens > 0


async def test_a_title_of_ones_own_is_never_overwritten(
    alice: User,
    conversation: Conversation,
    endpoint: Endpoint,
    browser: AsyncClient,
    tab_of: TabOf,
) -> None:
    await titled(endpoint)
    async with tab_of(alice) as tab:
        await tab.say("/tokens 40 /pace 60 of one thing")
        await tab.until(lambda page: page.part("text"))
        await browser.post(f"/c/{conversation.pk}/rename/", {"title": "Mine"})
        await tab.until(lambda page: page.status == "complete" and page.buttons == ["Send"])
    await until_asked()

    await conversation.arefresh_from_db()
    assert (conversation.title, conversation.is_title_own) == ("Mine", True)


@pytest.mark.parametrize(
    ("protocol", "options", "asked"),
    [
        ("openai", {}, True),
        ("anthropic", {}, True),
        ("truss", {}, False),
        ("cerebrium", {}, False),
        ("openai", {"titles": False}, False),
        ("truss", {"titles": True}, True),
    ],
)
def test_who_is_asked_is_the_administrators_choice(
    protocol: str, options: dict[str, Any], asked: bool
) -> None:
    check_options(protocol, options)

    assert asks_titles(protocol, options) is asked


def answering_titles(script: Script) -> Script:
    """An upstream that answers everything but wishes for titles, which `script` deals with."""
    answer = answering(TOKEN + DONE)

    async def choose(peer: Peer) -> None:
        await (script if WISH.encode() in peer.request.body else answer)(peer)

    return choose


async def refuse(peer: Peer) -> None:
    await peer.respond(503)


async def break_off(peer: Peer) -> None:
    await peer.begin()
    await peer.chunk(TOKEN)
    peer.writer.transport.abort()


async def decline(peer: Peer) -> None:
    await answering(b'data: {"choices":[{"delta":{"refusal":"No."}}]}\n\n' + DONE)(peer)


@pytest.mark.parametrize("script", [refuse, break_off, decline, answering(DONE)])
async def test_a_title_that_cannot_be_had_is_asked_for_once_and_changes_nothing(
    script: Script, alice: User, conversation: Conversation, endpoint: Endpoint, tab_of: TabOf
) -> None:
    async with upstream(answering_titles(script)) as server:
        endpoint.url = f"http://127.0.0.1:{server.port}"
        await titled(endpoint)
        async with tab_of(alice) as tab:
            await answered(tab, "of one thing")
            await until_asked()
            await answered(tab, "of another")
            await until_asked()

    await conversation.arefresh_from_db()
    assert conversation.title == "of one thing"
    assert server.requests == 3


@pytest.mark.parametrize("change", ["renamed", "deleted"])
async def test_what_happens_while_a_title_is_thought_of_stands(
    change: str,
    alice: User,
    conversation: Conversation,
    endpoint: Endpoint,
    browser: AsyncClient,
    tab_of: TabOf,
) -> None:
    asked, may_answer = asyncio.Event(), asyncio.Event()

    async def hold(peer: Peer) -> None:
        asked.set()
        await may_answer.wait()
        await answering(TOKEN + DONE)(peer)

    async with upstream(answering_titles(hold)) as server:
        endpoint.url = f"http://127.0.0.1:{server.port}"
        await titled(endpoint)
        async with tab_of(alice) as tab:
            await answered(tab, "of one thing")
        await asyncio.wait_for(asked.wait(), 30)
        if change == "renamed":
            await browser.post(f"/c/{conversation.pk}/rename/", {"title": "Mine"})
        else:
            await browser.post("/conversations/delete/", {"conversation": conversation.pk})
        may_answer.set()
        await until_asked()

    await conversation.arefresh_from_db()
    assert conversation.title == ("Mine" if change == "renamed" else "of one thing")
