"""A conversation's settings: checked, kept, sent as far as the endpoint takes them, shown."""

import asyncio
import html
import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import AsyncClient

from chatapp.composing.chat_settings import SettingsForm, first_settings
from chatapp.demo.server import DemoServer
from chatapp.models import Conversation, Endpoint, Message, Preset
from tests.dom import ended
from tests.tab import Tab

TabOf = Callable[..., Tab]
HOSTILE = "<script>x</script>\"'><hx-partial hx-target='#tail'>\u202egnp.exe \x07"


async def reply() -> Message:
    return await Message.objects.filter(role="assistant").alatest("asked_at")


def shown(content: bytes) -> str:
    return html.unescape(content.decode())


@pytest.fixture
async def other(model: DemoServer, transactional_db: None) -> Endpoint:
    """A second endpoint, which knows efforts and has limits."""
    return await Endpoint.objects.acreate(
        name="limited",
        protocol="anthropic",
        url=model.url("anthropic"),
        model="scripted",
        position=200,
        options={"limits": {"max_tokens": [1, 40]}, "reasoning_efforts": ["low", "high"]},
    )


@pytest.mark.parametrize(
    ("typed", "parameters"),
    [
        ({}, {}),
        ({"temperature": "0"}, {"temperature": 0}),
        ({"temperature": " 2 ", "top_p": "1"}, {"temperature": 2, "top_p": 1}),
        ({"max_tokens": "500"}, {"max_tokens": 500}),
        ({"stop": "END\r\n\r\n ###\n  \nEND"}, {"stop": ["END", " ###"]}),
        ({"reasoning_effort": "high"}, {"reasoning_effort": "high"}),
    ],
)
def test_what_fits_is_taken_and_empty_fields_are_not(
    typed: dict[str, str], parameters: dict[str, Any], alice: User
) -> None:
    form = first_settings(alice, typed)

    assert form.is_valid(), form.errors
    assert form.values()["parameters"] == parameters


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("temperature", "hot", "Expected a number from 0 to 2"),
        ("temperature", "2.01", "Expected a number from 0 to 2"),
        ("temperature", "-0.1", "Expected a number from 0 to 2"),
        ("temperature", "nan", "Expected a number from 0 to 2"),
        ("temperature", "1e999", "Expected a number from 0 to 2"),
        ("top_p", "0", "above 0 and up to 1"),
        ("top_p", "1.1", "above 0 and up to 1"),
        ("max_tokens", "0", "a whole number from 1 to 1,000,000"),
        ("max_tokens", "1.5", "a whole number from 1 to 1,000,000"),
        ("max_tokens", "1000001", "a whole number from 1 to 1,000,000"),
        ("max_tokens", "9" * 5000, "a whole number from 1 to 1,000,000"),
        ("stop", "a\nb\nc\nd\ne", "There can be 4 stop sequences; these are 5."),
        ("stop", "x" * 101, "A stop sequence can have 100 characters; one has 101."),
        ("system_prompt", "x" * 32_001, "can have 32000 characters; this one has 32001"),
        ("reasoning_effort", "<b>", "Choose one of the list"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(
    field: str, typed: str, sentence: str, alice: User
) -> None:
    Endpoint.objects.create(
        name="e", protocol="openai", url="http://x.test", options={"reasoning_efforts": ["low"]}
    )
    form = SettingsForm(alice, {field: typed})

    assert not form.is_valid()
    assert sentence in " ".join(form.errors[field])
    assert sentence in form.complaints()


async def test_settings_are_saved_and_sent(
    browser: AsyncClient, alice: User, endpoint: Endpoint, conversation: Conversation, tab_of: TabOf
) -> None:
    typed = {
        "endpoint": endpoint.pk,
        "system_prompt": "Be\r\nbrief.",
        "temperature": "0.2",
        "stop": "END",
    }
    answer = await browser.post(f"/c/{conversation.pk}/settings/", typed)
    async with tab_of(alice) as tab:
        await tab.say("/wire")
        page = await tab.until(ended)

    made = await reply()
    assert (answer.status_code, answer.headers["location"]) == (302, f"/c/{conversation.pk}/")
    assert (made.system_prompt, made.parameters) == (
        "Be\nbrief.",
        {"temperature": 0.2, "stop": ["END"]},
    )
    for told in ("Be brief.", "temperature", "0.2", '["END"]'):
        assert told in page.part("text")
    used = re.sub(r"\s+", " ", page.reply.text)
    assert "temperature 0.2 · stop sequences “END” · system prompt “Be brief.”" in used


async def test_what_was_really_sent_is_stored_with_the_reply(
    alice: User, other: Endpoint, conversation: Conversation, tab_of: TabOf
) -> None:
    conversation.parameters = {
        "temperature": 1.7,
        "max_tokens": 900,
        "reasoning_effort": "medium",
    }
    await conversation.asave()
    async with tab_of(alice) as tab:
        await tab.say("/wire")
        page = await tab.until(ended)

    assert (await reply()).parameters == {"temperature": 1, "max_tokens": 40}
    assert "temperature 1 · max tokens 40" in page.reply.text
    assert (await Conversation.objects.aget()).parameters["max_tokens"] == 900


async def test_what_cannot_be_taken_comes_back_with_its_reason_and_changes_nothing(
    browser: AsyncClient, endpoint: Endpoint, conversation: Conversation
) -> None:
    typed = {"temperature": "warm", "system_prompt": HOSTILE, "max_tokens": "7", "name": "Mine"}

    answer = await browser.post(f"/c/{conversation.pk}/settings/", typed)

    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Expected a number from 0 to 2" in page and 'aria-invalid="true"' in page
    assert all(word in page for word in ('value="warm"', 'value="7"', 'value="Mine"'))
    assert "<script>x" not in page and "<hx-partial" not in page
    assert HOSTILE in shown(answer.content)
    assert (await Conversation.objects.aget()).parameters == {}
    assert not await Preset.objects.aexists()


async def test_hostile_settings_stay_text(
    browser: AsyncClient, alice: User, endpoint: Endpoint, conversation: Conversation, tab_of: TabOf
) -> None:
    typed = {"system_prompt": HOSTILE + "\0", "stop": HOSTILE}
    await browser.post(f"/c/{conversation.pk}/settings/", typed)
    async with tab_of(alice) as tab:
        await tab.say("/echo hi")
        await tab.until(ended)

    page = (await browser.get(f"/c/{conversation.pk}/")).content.decode()
    kept = await Conversation.objects.aget()
    assert kept.system_prompt == HOSTILE + "\ufffd"
    assert "<script>x" not in page and "<hx-partial" not in page
    assert "&lt;script&gt;x" in page


async def test_of_two_tabs_that_save_the_last_one_wins(
    browser: AsyncClient, alice: User, endpoint: Endpoint, conversation: Conversation, tab_of: TabOf
) -> None:
    address = f"/c/{conversation.pk}/settings/"
    async with tab_of(alice) as one, tab_of(alice) as two:
        both = [browser.post(address, {"temperature": f"0.{n}"}) for n in range(1, 9)]
        answers = await asyncio.gather(*both)
        await browser.post(address, {"top_p": "0.5"})
        await one.say("/echo hi")
        await one.until(ended)
        await two.until(lambda page: ended(page) and page.part("text") == one.page.part("text"))

    assert {answer.status_code for answer in answers} == {302}
    assert (await reply()).parameters == {"top_p": 0.5}


async def test_the_settings_of_others_are_not_found(
    browser: AsyncClient, bob: User, endpoint: Endpoint
) -> None:
    theirs = await Conversation.objects.acreate(owner=bob)
    preset = await Preset.objects.acreate(owner=bob, name="shared", is_shared=True)

    saved = await browser.post(f"/c/{theirs.pk}/settings/", {"temperature": "1"})
    applied = await browser.post(f"/c/{theirs.pk}/preset/", {"preset": preset.pk})

    assert [saved.status_code, applied.status_code] == [404] * 2
    assert (await Conversation.objects.aget()).parameters == {}


async def test_a_first_message_brings_its_settings_along(
    browser: AsyncClient, endpoint: Endpoint
) -> None:
    new = uuid.uuid4()
    typed = {"text": "/echo hi", "key": str(uuid.uuid4()), "endpoint": endpoint.pk}

    await browser.post(f"/c/{new}/messages/", {**typed, "system_prompt": "Hm.", "max_tokens": "9"})
    await browser.post(f"/c/{new}/messages/", {**typed, "max_tokens": "8"})

    begun = await Conversation.objects.aget()
    assert (begun.system_prompt, begun.parameters) == ("Hm.", {"max_tokens": 9})
    assert (await reply()).parameters == {"max_tokens": 9}


async def test_a_first_message_with_bad_settings_is_not_sent_and_nothing_is_lost(
    browser: AsyncClient, endpoint: Endpoint
) -> None:
    typed = {
        "text": "my question",
        "key": str(uuid.uuid4()),
        "system_prompt": "my prompt",
        "top_p": "7",
    }

    answer = await browser.post(f"/c/{uuid.uuid4()}/messages/", typed)

    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Top-p: Expected a number above 0" in page
    assert all(word in page for word in ("my question", "my prompt", 'value="7"'))
    assert not await Conversation.objects.aexists()


async def test_the_page_says_what_each_endpoint_allows(
    browser: AsyncClient, endpoint: Endpoint, other: Endpoint, conversation: Conversation
) -> None:
    page = shown((await browser.get(f"/c/{conversation.pk}/")).content)

    assert "limited takes temperature 0 to 1, top-p 0 to 1, max tokens 1 to 40" in page
    assert "reasoning effort low/high" in page
    assert f'data-allows="{other.pk}" data-efforts="low high" hidden' in page
    assert f'data-allows="{endpoint.pk}" data-efforts="">' in page


async def test_a_reply_is_regenerated_on_another_endpoint_which_the_conversation_does_not_take(
    alice: User, endpoint: Endpoint, other: Endpoint, conversation: Conversation, tab_of: TabOf
) -> None:
    async with tab_of(alice) as tab:
        await tab.say("/echo hi", endpoint=str(endpoint.pk))
        await tab.until(ended)
        first = str((await reply()).pk)
        await tab.send(action="retry", message=first, endpoint=str(other.pk))
        await tab.until(lambda page: "limited" in page.reply.text and ended(page))

    assert (await reply()).endpoint_id == other.pk
    assert (await Conversation.objects.aget()).endpoint_id == endpoint.pk


async def test_regenerating_uses_the_replys_own_endpoint_while_it_serves(
    alice: User, endpoint: Endpoint, other: Endpoint, conversation: Conversation, tab_of: TabOf
) -> None:
    async with tab_of(alice) as tab:
        await tab.say("/echo hi", endpoint=str(other.pk))
        await tab.until(ended)
        first = await reply()
        picked = {"message": str(first.pk), "endpoint": str(endpoint.pk)}
        await tab.send(action="regenerate", **picked)
        await tab.until(lambda page: "2/2" in page.reply.text and ended(page))
        own = await reply()
        await Endpoint.objects.filter(pk=other.pk).aupdate(enabled=False)
        await tab.send(action="regenerate", **picked)
        await tab.until(lambda page: "3/3" in page.reply.text and ended(page))

    assert (own.pk != first.pk, own.endpoint_id) == (True, other.pk)
    assert (await reply()).endpoint_id == endpoint.pk


async def test_without_scripts_a_page_lists_the_endpoints_for_a_reply(
    browser: AsyncClient, alice: User, bob: User, endpoint: Endpoint, other: Endpoint, tab_of: TabOf
) -> None:
    async with tab_of(alice) as tab:
        await tab.say("/echo hi", endpoint=str(endpoint.pk))
        await tab.until(ended)
        made = await reply()
        stranger = AsyncClient()
        await stranger.aforce_login(bob)

        page = await browser.get(f"/messages/{made.pk}/elsewhere/")
        theirs = await stranger.get(f"/messages/{made.pk}/elsewhere/")
        answer = await browser.post(f"/messages/{made.pk}/retry/", {"endpoint": other.pk})
        await tab.until(lambda page: "limited" in page.reply.text and ended(page))

    assert "limited" in page.content.decode() and theirs.status_code == 404
    assert answer.status_code == 302
    assert (await reply()).endpoint_id == other.pk


async def test_a_reply_that_goes_on_says_what_the_rest_was_asked_with(
    browser: AsyncClient, alice: User, endpoint: Endpoint, conversation: Conversation, tab_of: TabOf
) -> None:
    async with tab_of(alice) as tab:
        await tab.say("/fault length /tokens 30")
        await tab.until(ended)
        cut = await reply()
        await browser.post(f"/c/{conversation.pk}/settings/", {"temperature": "0.5"})
        await tab.send(action="continue", message=str(cut.pk))
        await tab.until(lambda page: ended(page) and len(page.part("text")) > len(cut.text))

    assert (await reply()).parameters == {"temperature": 0.5}


async def test_parameters_that_nobody_typed_break_no_page(
    browser: AsyncClient, alice: User, endpoint: Endpoint, conversation: Conversation
) -> None:
    odd = {"temperature": "<b>", "stop": "x", "tools": [{}], "reasoning_effort": ["low"]}
    conversation.parameters = odd
    await conversation.asave()
    await Message.objects.acreate(
        conversation=conversation, role="assistant", text="hi", parameters=odd
    )

    answer = await browser.get(f"/c/{conversation.pk}/")

    assert answer.status_code == 200
    assert "<b>" not in answer.content.decode()
