"""Whom an endpoint answers: what is offered and what is taken, on every way there is."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import AsyncClient
from pytest_django import DjangoAssertNumQueries

from chatapp.composing import presets
from chatapp.database import read, write
from chatapp.errors import InvalidInput
from chatapp.generation import titles
from chatapp.generation.calls import target_for
from chatapp.generation.queue import enqueue
from chatapp.generation.turns import Sending
from chatapp.library import sharing
from chatapp.models import (
    Conversation,
    Endpoint,
    Message,
    Preset,
    Queued,
    Role,
    Status,
    conversation_for,
    endpoint_for,
    endpoints_for,
    usable_endpoints,
)
from chatapp.transfer.draft import Draft
from chatapp.transfer.importing import store
from tests.tab import Tab

TabOf = Callable[..., Tab]
NOT_OPEN = "is not open to you any more. Choose another one."


@pytest.fixture
async def team(transactional_db: None) -> Group:
    return await Group.objects.acreate(name="Research")


@pytest.fixture
async def closed(endpoint: Endpoint, team: Group) -> Endpoint:
    """An endpoint of the team's, beside the one that is everybody's."""
    closed = await Endpoint.objects.acreate(
        name="for research",
        protocol="openai",
        url=endpoint.url,
        model="scripted",
        options={"titles": False},
        position=1,
    )
    await closed.groups.aadd(team)
    return closed


@pytest.fixture
async def member(alice: User, team: Group) -> User:
    await alice.groups.aadd(team)
    return alice


async def leave(user: User, team: Group) -> None:
    await user.groups.aremove(team)


async def said_with(endpoint: Endpoint, conversation: Conversation, **values: Any) -> Message:
    """A prompt of the conversation's, and its reply by the endpoint."""
    conversation.endpoint = endpoint
    await conversation.asave()
    prompt = await Message.objects.acreate(conversation=conversation, role=Role.USER, text="/echo")
    return await Message.objects.acreate(
        conversation=conversation,
        role=Role.ASSISTANT,
        parent=prompt,
        endpoint=endpoint,
        endpoint_name=endpoint.name,
        **{"status": Status.COMPLETE, "text": "so"} | values,
    )


async def answered(tab: Tab, replies: int) -> None:
    await tab.until(
        lambda page: (
            len(page.articles) >= replies and page.status == "complete" and page.buttons == ["Send"]
        )
    )


async def test_one_rule_says_who_may_use_what(
    alice: User, bob: User, team: Group, closed: Endpoint, endpoint: Endpoint
) -> None:
    root = await User.objects.acreate_superuser("root")
    await alice.groups.aadd(team)
    await bob.groups.aadd(await Group.objects.acreate(name="Sales"))

    def usable() -> list[list[str]]:
        return [[e.name for e in usable_endpoints(user)] for user in (alice, bob, root)]

    assert await read(usable) == [
        ["for research", "scripted"],
        ["scripted"],
        ["for research", "scripted"],
    ]
    for user, may in ((alice, True), (bob, False), (root, True)):
        found = await read(endpoint_for, user, closed.pk)
        assert found is not None and bool(found.is_granted) is may
    assert await read(endpoint_for, bob, 10**9) is None
    assert await read(endpoint_for, bob, None) is None


async def test_an_endpoint_that_nobody_was_asked_about_is_nobodys(endpoint: Endpoint) -> None:
    found = await Endpoint.objects.aget(pk=endpoint.pk)

    with pytest.raises(InvalidInput, match="not open to you"):
        target_for(found)


async def test_several_groups_are_no_obstacle(member: User, closed: Endpoint, team: Group) -> None:
    sales = await Group.objects.acreate(name="Sales")
    await closed.groups.aadd(sales)
    await member.groups.aadd(sales)

    assert [e.name for e in await read(endpoints_for, member)].count("for research") == 1


async def test_an_endpoint_whose_last_group_is_deleted_is_not_everybodys(
    alice: User, team: Group, closed: Endpoint, endpoint: Endpoint
) -> None:
    sales = await Group.objects.acreate(name="Sales")
    await closed.groups.aadd(sales)

    await team.adelete()
    with_one_left = await Endpoint.objects.aget(pk=closed.pk)
    await Group.objects.all().adelete()

    assert with_one_left.enabled
    assert [e.name for e in await read(usable_endpoints, alice)] == ["scripted"]


def test_an_endpoint_whose_groups_are_deleted_together_is_nobodys(alice: User) -> None:
    endpoint = Endpoint.objects.create(name="e", protocol="openai", url="https://x.test")
    endpoint.groups.set([Group.objects.create(name="a"), Group.objects.create(name="b")])

    Group.objects.all().delete()

    assert endpoint not in usable_endpoints(alice)
    assert not Endpoint.objects.get(pk=endpoint.pk).enabled


def test_a_question_takes_no_query_more(
    alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    endpoint = Endpoint.objects.create(name="e", protocol="openai", url="https://x.test")
    endpoint.groups.add(Group.objects.create(name="g"))
    conversation = Conversation.objects.create(owner=alice, endpoint=endpoint)

    with django_assert_num_queries(2):
        found = conversation_for(alice, conversation.pk).endpoint

    assert found is not None and not found.is_usable


async def test_pages_offer_what_is_open_to_their_person(
    browser: AsyncClient, bob: User, conversation: Conversation, closed: Endpoint, team: Group
) -> None:
    reply = await said_with(await Endpoint.objects.aget(name="scripted"), conversation)
    addresses = ["/", f"/c/{conversation.pk}/", f"/messages/{reply.pk}/elsewhere/", "/presets/new/"]

    before = [(await browser.get(address)).content.decode() for address in addresses]
    await (await User.objects.aget(username="alice")).groups.aadd(team)
    after = [(await browser.get(address)).content.decode() for address in addresses]

    assert [page.count("for research") for page in before] == [0] * 4
    assert all(page.count("for research") for page in after)
    assert all("scripted" in page for page in before)


async def test_who_has_none_is_told_so(
    browser: AsyncClient, endpoint: Endpoint, team: Group
) -> None:
    await endpoint.groups.aadd(team)

    page = (await browser.get("/")).content.decode()

    assert "Nothing is open to you yet" in page
    assert "scripted" not in page


async def test_a_question_to_somebody_elses_endpoint_is_refused_and_kept(
    alice: User, closed: Endpoint, tab_of: TabOf
) -> None:
    async with tab_of(alice) as tab:
        await tab.say("my long question", endpoint=str(closed.pk))
        notice = (await tab.until(lambda page: page.notice)).notice

    assert NOT_OPEN in notice
    assert not await Message.objects.aexists()


async def test_a_first_question_keeps_its_text_on_the_page(
    browser: AsyncClient, closed: Endpoint
) -> None:
    values = {"text": "my long question", "key": str(uuid.uuid4()), "endpoint": closed.pk}

    answer = await browser.post(f"/c/{uuid.uuid4()}/messages/", values)

    page = answer.content.decode()
    assert answer.status_code == 422
    assert NOT_OPEN in page and "my long question" in page
    assert not await Conversation.objects.aexists()


async def test_an_endpoint_that_was_taken_away_answers_no_more(
    member: User, closed: Endpoint, conversation: Conversation, team: Group, tab_of: TabOf
) -> None:
    async with tab_of(member) as tab:
        await tab.say("/echo one", endpoint=str(closed.pk))
        await answered(tab, 2)
        await leave(member, team)
        await tab.say("/echo two")
        notice = (await tab.until(lambda page: page.notice)).notice
        open_one = await Endpoint.objects.aget(name="scripted")
        await tab.say("/echo two", endpoint=str(open_one.pk))
        await answered(tab, 4)

    assert NOT_OPEN in notice
    assert [m.endpoint_name async for m in conversation.messages.filter(role="assistant")] == [
        "for research",
        "scripted",
    ]


@pytest.mark.parametrize("action", ["retry", "regenerate"])
async def test_a_reply_is_not_made_anew_by_an_endpoint_that_was_taken_away(
    action: str, alice: User, closed: Endpoint, conversation: Conversation, tab_of: TabOf
) -> None:
    reply = await said_with(closed, conversation)
    async with tab_of(alice) as tab:
        await tab.send(action=action, message=str(reply.pk), endpoint=str(closed.pk))
        notice = (await tab.until(lambda page: page.notice)).notice

    assert NOT_OPEN in notice
    assert await conversation.messages.acount() == 2


async def test_a_reply_of_an_endpoint_that_was_taken_away_is_regenerated_by_the_picked_one(
    alice: User, closed: Endpoint, endpoint: Endpoint, conversation: Conversation, tab_of: TabOf
) -> None:
    reply = await said_with(closed, conversation)
    async with tab_of(alice) as tab:
        await tab.send(action="regenerate", message=str(reply.pk), endpoint=str(endpoint.pk))
        await tab.until(lambda page: page.status == "complete" and "1/2" not in page.reply.text)

    newest = await conversation.messages.filter(role="assistant").alatest("asked_at")
    assert newest.endpoint_name == "scripted"


async def test_a_reply_is_not_continued_by_an_endpoint_that_was_taken_away(
    alice: User, closed: Endpoint, conversation: Conversation, tab_of: TabOf
) -> None:
    reply = await said_with(closed, conversation, status=Status.STOPPED)
    async with tab_of(alice) as tab:
        await tab.send(action="continue", message=str(reply.pk))
        notice = (await tab.until(lambda page: page.notice)).notice

    await reply.arefresh_from_db()
    assert NOT_OPEN in notice
    assert (reply.status, reply.text) == (Status.STOPPED, "so")


async def test_what_waits_for_an_endpoint_that_was_taken_away_goes_on_waiting(
    member: User, closed: Endpoint, conversation: Conversation, team: Group, tab_of: TabOf
) -> None:
    async with tab_of(member) as tab:
        await tab.say("/tokens 5000 /pace 50", endpoint=str(closed.pk))
        await tab.until(lambda page: page.buttons == ["Stop"])
        values = {"key": str(uuid.uuid4()), "endpoint": str(closed.pk)}
        await tab.send(action="queue", text="and then?", **values)
        await tab.until(lambda page: "and then?" in page.root.text)
        await leave(member, team)
        reply = await Message.objects.filter(role="assistant").alatest("asked_at")
        await tab.send(action="stop", message=str(reply.pk))
        await tab.until(lambda page: page.status == "stopped" and page.buttons == ["Send"])
        queued = await Queued.objects.aget()
        await tab.send(action="send-now", queued=str(queued.pk))
        notice = (await tab.until(lambda page: page.notice)).notice

    assert NOT_OPEN in notice
    assert (await Queued.objects.aget()).text == "and then?"


async def test_nothing_is_queued_for_somebody_elses_endpoint(
    alice: User, closed: Endpoint, conversation: Conversation
) -> None:
    sending = Sending(conversation.pk, "hi", uuid.uuid4(), closed.pk)

    with pytest.raises(InvalidInput, match="not open to you"):
        await write(enqueue, alice, sending)


async def test_settings_take_what_is_open_and_keep_what_was(
    browser: AsyncClient, alice: User, closed: Endpoint, conversation: Conversation
) -> None:
    address = f"/c/{conversation.pk}/settings/"

    refused = await browser.post(address, {"endpoint": closed.pk})
    conversation.endpoint = closed
    await conversation.asave()
    page = (await browser.get(f"/c/{conversation.pk}/")).content.decode()
    kept = await browser.post(address, {"endpoint": closed.pk, "temperature": "0.5"})

    assert refused.status_code == 422
    assert "Choose one of the list" in refused.content.decode()
    assert "for research (not open to you)" in page
    assert kept.status_code == 302


async def test_a_preset_of_the_teams_is_applied_without_an_endpoint_that_is_not_open(
    browser: AsyncClient, bob: User, closed: Endpoint, conversation: Conversation
) -> None:
    preset = await Preset.objects.acreate(
        owner=bob,
        name="Ours",
        is_shared=True,
        endpoint=closed,
        endpoint_name=closed.name,
        system_prompt="Be brief.",
    )

    answer = await browser.post(f"/c/{conversation.pk}/preset/", {"preset": preset.pk}, follow=True)

    await conversation.arefresh_from_db()
    assert conversation.endpoint_id is None
    assert conversation.system_prompt == "Be brief."
    assert "of the preset “Ours” is not open to you." in answer.content.decode()
    assert "(not open to you)" in (await browser.get("/presets/")).content.decode()


async def test_a_preset_is_not_kept_with_somebody_elses_endpoint(
    alice: User, closed: Endpoint
) -> None:
    values = {"endpoint_id": closed.pk, "system_prompt": "", "parameters": {}}

    preset = await write(presets.keep, alice, "Mine", values)

    assert (preset.endpoint_id, preset.endpoint_name) == (None, "")


async def test_no_title_is_asked_of_an_endpoint_that_was_taken_away(
    member: User, closed: Endpoint, conversation: Conversation, team: Group
) -> None:
    reply = await said_with(closed, conversation)
    conversation.title = "/echo"
    await conversation.asave()
    target = target_for(await read(endpoint_for, member, closed.pk))
    exchange = titles.Exchange(member.pk, conversation.pk, reply.pk, target, "/echo", "so")

    before = await read(titles._cut_title, exchange)
    await leave(member, team)

    assert (before, await read(titles._cut_title, exchange)) == ("/echo", "")


@pytest.mark.parametrize("is_member", [True, False])
async def test_an_import_finds_the_endpoints_that_are_open(
    is_member: bool, alice: User, closed: Endpoint, team: Group
) -> None:
    if is_member:
        await alice.groups.aadd(team)
    draft = Draft(
        Conversation(title="Brought along", source="test:1"), [], endpoint_name="for research"
    )

    assert await store(alice, draft)

    conversation = await Conversation.objects.aget()
    assert conversation.endpoint_id == (closed.pk if is_member else None)


async def test_a_copy_of_a_shared_conversation_goes_on_with_what_is_open(
    alice: User, bob: User, closed: Endpoint, conversation: Conversation
) -> None:
    await said_with(closed, conversation)
    link = await write(sharing.share, alice, conversation.pk, grows=False)

    copy = await write(sharing.copy, bob, link.pk)

    assert copy.endpoint_id is None
