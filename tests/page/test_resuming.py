"""A page comes back after its connection went → it gets what it lacks, and keeps what it has."""

from collections.abc import Callable

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.test import AsyncClient

from chatapp.models import Conversation, Endpoint, Message
from tests.dom import Page, tree
from tests.growing import grow
from tests.tab import NOBODYS_ID, Tab

TabOf = Callable[..., Tab]


def is_shown(page: Page) -> bool:
    return bool(page.buttons)


def swapped(page: Page) -> list[str]:
    """What frames replaced or added, of the transcript."""
    frames = "".join(page.frames)
    ids = ["tail", *(article.attributes["id"] for article in page.articles)]
    return [i for i in ids if f'hx-target="#{i}"' in frames]


def come_back(tab_of: TabOf, user: User, before: Tab, **told: str) -> Tab:
    """A tab with the page of `before`, which tells what it has unless it tells something else."""
    tab = tab_of(user, **{"shown": before.page.shown} | told)
    tab.page, tab.page.frames = before.page, []
    return tab


@pytest.fixture
async def left(alice: User, endpoint: Endpoint, tab_of: TabOf) -> Tab:
    """A tab with two turns that was closed."""
    async with tab_of(alice) as tab:
        for text in ("/echo one", "/echo two"):
            await tab.say(text)
            await tab.until(lambda page: text in page.prompts and page.status == "complete")  # noqa: B023
    return tab


async def test_what_the_page_has_does_not_come_again(alice: User, left: Tab, tab_of: TabOf) -> None:
    had = left.page.articles

    async with come_back(tab_of, alice, left) as tab:
        await tab.until(lambda page: page.frames)
        await tab.say("/echo three")
        await tab.until(lambda page: len(page.articles) == 6 and page.status == "complete")

    assert tab.page.articles[:4] == had
    assert tab.page.prompts == ["/echo one", "/echo two", "/echo three"]


async def test_a_reply_that_was_growing_comes_anew_and_nothing_else(
    alice: User, left: Tab, tab_of: TabOf
) -> None:
    async with tab_of(alice) as tab:
        await tab.say("/tokens 60 /pace 50")
        await tab.until(lambda page: page.status == "streaming" and page.part("text"))
    had = tab.page.articles

    async with come_back(tab_of, alice, tab) as again:
        await again.until(lambda page: page.frames)
        assert swapped(again.page) == [had[-1].attributes["id"]]
        await again.until(lambda page: page.status == "complete")

    reply = await Message.objects.alatest("asked_at")
    words, text = reply.text.split(), again.page.part("text")
    assert text.startswith("I am a scripted") and text.split()[-20:] == words[-20:]
    assert text.count("another") == reply.text.count("another")
    assert again.page.articles[:-1] == had[:-1] and len(again.page.articles) == 6


async def test_a_message_that_changed_meanwhile_comes_alone(
    alice: User, left: Tab, tab_of: TabOf
) -> None:
    first = await Message.objects.filter(role="assistant").aearliest("asked_at")
    async with tab_of(alice) as elsewhere:
        await elsewhere.send(action="like", message=str(first.pk))
        await elsewhere.until(lambda page: "pressed='true'" in page.root.html)

    async with come_back(tab_of, alice, left) as tab:
        await tab.until(lambda page: page.frames)

    assert swapped(tab.page) == [f"message-{first.pk}"]


async def test_what_was_asked_elsewhere_is_added(alice: User, left: Tab, tab_of: TabOf) -> None:
    had = left.page.articles
    async with tab_of(alice) as elsewhere:
        await elsewhere.say("/echo three")
        await elsewhere.until(lambda page: page.status == "complete" and len(page.articles) == 6)

    async with come_back(tab_of, alice, left) as tab:
        await tab.until(lambda page: len(page.articles) == 6)

    assert tab.page.articles[:4] == had


@pytest.mark.parametrize("action", ["retry", "remove"])
async def test_another_path_comes_whole(action: str, alice: User, left: Tab, tab_of: TabOf) -> None:
    reply = await Message.objects.filter(role="assistant").alatest("asked_at")
    prompt = reply.parent_id
    async with tab_of(alice) as elsewhere:
        await elsewhere.until(is_shown)
        await elsewhere.send(action=action, message=str(reply.pk if action == "retry" else prompt))
        await elsewhere.until(lambda page: page.root.by_id(f"message-{reply.pk}") is None)
        await elsewhere.until(lambda page: page.status == "complete")

    async with come_back(tab_of, alice, left) as tab:
        await tab.until(lambda page: page.frames)

    assert "tail" in swapped(tab.page)
    shown = [article.attributes["id"] for article in tab.page.articles]
    assert shown == [article.attributes["id"] for article in elsewhere.page.articles]


@pytest.mark.parametrize(
    "shown", ["nonsense", f"{NOBODYS_ID}.00000000", "{first},{first}", "{first}.,nonsense", ","]
)
async def test_of_a_page_that_tells_nonsense_all_comes_anew(
    shown: str, alice: User, left: Tab, tab_of: TabOf
) -> None:
    first = left.page.shown.partition(",")[0]

    async with come_back(tab_of, alice, left, shown=shown.format(first=first)) as tab:
        await tab.until(lambda page: page.frames)

    assert "tail" in swapped(tab.page) and len(tab.page.articles) == 4


async def test_behind_messages_that_came_with_the_page_and_those_that_it_leaves_out(
    alice: User, conversation: Conversation, endpoint: Endpoint, tab_of: TabOf
) -> None:
    made = await sync_to_async(grow)(conversation, 100)
    after, first = str(made[-1].pk), str(made[-20].pk)
    async with tab_of(alice, after=after, first=first) as tab:
        await tab.say("/echo one", endpoint=str(endpoint.pk))
        await tab.until(lambda page: page.status == "complete")
    had = tab.page.articles

    async with come_back(tab_of, alice, tab, after=after, first=first) as again:
        await again.until(lambda page: page.frames)
        assert swapped(again.page) == []
        await again.say("/echo two")
        await again.until(lambda page: len(page.articles) == 4 and page.status == "complete")

    assert again.page.articles[:2] == had


@pytest.fixture
async def loaded(left: Tab, browser: AsyncClient) -> Page:
    """A page loaded anew, to which all of it came by HTTP."""
    conversation = await Conversation.objects.aget()
    html = (await browser.get(f"/c/{conversation.pk}/")).content.decode()
    page = Page()
    history = page.root.by_id("history")
    assert history is not None
    came = html[html.index('<div id="history">') : html.index('<div id="tail">')]
    for article in tree(came).all("article"):
        history.append(article)
    return page


def opened(tab_of: TabOf, user: User, page: Page, **told: str) -> Tab:
    """A tab that shows `page`, with what its first socket says of it and more."""
    ids = [a.attributes["id"].removeprefix("message-") for a in page.articles]
    tab = tab_of(user, **{"after": ids[3], "first": ids[0]} | told)
    tab.page = page
    return tab


async def test_a_reply_that_came_with_the_page_goes_on_before_its_eyes(
    alice: User, loaded: Page, tab_of: TabOf
) -> None:
    reply = await Message.objects.filter(role="assistant").alatest("asked_at")
    await Message.objects.filter(parent=reply.parent_id).aupdate(status="stopped")
    await Message.objects.filter(pk=reply.parent_id).aupdate(text="/tokens 60 /pace 50")

    async with opened(tab_of, alice, loaded) as tab:
        await tab.until(is_shown)
        await tab.send(action="continue", message=str(reply.pk))
        await tab.until(lambda page: page.status == "streaming" and page.buttons == ["Stop"])
        begun = len(tab.page.part("text"))
        await tab.until(lambda page: page.status == "streaming" and len(page.part("text")) > begun)
        await tab.until(lambda page: page.status == "complete" and page.buttons == ["Send"])


async def test_what_goes_on_while_the_page_is_away_is_brought_up_to_date(
    alice: User, loaded: Page, tab_of: TabOf
) -> None:
    reply = await Message.objects.filter(role="assistant").alatest("asked_at")
    known = loaded.known
    await Message.objects.filter(pk=reply.pk).aupdate(text="It went on", rating=1)

    async with opened(tab_of, alice, loaded, known=known) as tab:
        await tab.until(lambda page: page.frames)

    assert swapped(tab.page) == ["tail", f"message-{reply.pk}"]
    assert tab.page.part("text").strip() == "It went on"


async def test_of_a_history_that_was_deleted_nothing_is_there_twice(
    alice: User, loaded: Page, tab_of: TabOf
) -> None:
    prompt = await Message.objects.filter(role="user").alatest("asked_at")
    async with tab_of(alice) as elsewhere:
        await elsewhere.until(is_shown)
        await elsewhere.send(action="remove", message=str(prompt.pk))
        await elsewhere.until(lambda page: len(page.articles) == 2)

    async with opened(tab_of, alice, loaded, known=loaded.known) as tab:
        await tab.until(lambda page: page.frames)

    assert len(tab.page.articles) == 2
    assert tab.page.prompts == ["/echo one"]


async def test_a_reply_that_goes_on_before_the_first_socket_opens_grows_there(
    alice: User, loaded: Page, endpoint: Endpoint, tab_of: TabOf
) -> None:
    reply = await Message.objects.filter(role="assistant").alatest("asked_at")
    await Message.objects.filter(pk=reply.pk).aupdate(status="stopped")
    await Message.objects.filter(pk=reply.parent_id).aupdate(text="/tokens 60 /pace 50")
    async with tab_of(alice) as elsewhere:
        await elsewhere.until(is_shown)
        await elsewhere.send(action="continue", message=str(reply.pk))
        await elsewhere.until(lambda page: page.status == "streaming")

        async with opened(tab_of, alice, loaded) as tab:
            await tab.until(lambda page: page.status == "streaming" and page.buttons == ["Stop"])
            await tab.until(lambda page: page.status == "complete" and page.buttons == ["Send"])


async def test_older_messages_that_the_page_has_are_brought_up_to_date_too(
    alice: User, loaded: Page, tab_of: TabOf
) -> None:
    first = await Message.objects.filter(role="assistant").aearliest("asked_at")
    known = loaded.known
    await Message.objects.filter(pk=first.pk).aupdate(rating=1)
    ids = [a.attributes["id"].removeprefix("message-") for a in loaded.articles]

    async with opened(tab_of, alice, loaded, known=known, first=ids[2]) as tab:
        await tab.until(lambda page: page.frames)

    assert swapped(tab.page) == ["tail", f"message-{first.pk}"]
