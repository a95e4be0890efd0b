"""ChatGPT's export: what of it becomes a conversation here, and what does not."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import AsyncClient

from chatapp.database import read
from chatapp.models import Conversation, Message, Role
from tests.transfer.talks import counts, imported, shown, why, zipped

HIDDEN = {"is_visually_hidden_from_conversation": True}


def node(
    node_id: str,
    parent: str | None,
    role: str = "",
    text: Any = "",
    *,
    kind: str = "text",
    at: float | None = None,
    content: dict[str, Any] | None = None,
    **message: Any,
) -> dict[str, Any]:
    body = {"content_type": kind, "parts": [text]} if content is None else content
    said = {"author": {"role": role}, "create_time": at, "content": body, "metadata": {}}
    return {
        "id": node_id,
        "parent": parent,
        "children": [],
        "message": said | message if role else None,
    }


def talk(*nodes: dict[str, Any], current: str | None = None, **fields: Any) -> dict[str, Any]:
    mapping = {each["id"]: each for each in nodes}
    for each in nodes:
        if each["parent"] in mapping:
            mapping[each["parent"]]["children"].append(each["id"])
    return {
        "id": "abc",
        "title": "Tides",
        "create_time": 1736209400.5,
        "update_time": 1736209800.0,
        "mapping": mapping,
        "current_node": current or nodes[-1]["id"],
    } | fields


def ordinary() -> dict[str, Any]:
    return talk(
        node("root", None),
        node("system", "root", "system", "Secret", metadata=HIDDEN),
        node("q", "system", "user", "Why are there tides?", at=1736209401.0),
        node("a1", "q", "assistant", "Nobody knows.", at=1736209402.0),
        node(
            "a2",
            "q",
            "assistant",
            "The moon.",
            at=1736209500.0,
            metadata={"model_slug": "gpt-4o", "finish_details": {"type": "stop"}},
        ),
        node("q2", "a1", "user", "Really?", at=1736209600.0),
        node("b", "q2", "assistant", "Well.", at=1736209601.0),
        current="a2",
    )


async def mine(user: User) -> Conversation:
    return await Conversation.objects.aget(owner=user, deleted_at=None)


async def test_the_shown_path_is_chosen_and_the_other_branches_are_there(
    browser: AsyncClient, alice: User
) -> None:
    report = await imported(browser, [ordinary()], "conversations.json")

    conversation = await mine(alice)
    assert counts(report) == (1, 0, 0)
    assert (conversation.title, conversation.source) == ("Tides", "chatgpt:abc")
    assert conversation.created_at.isoformat() == "2025-01-07T00:23:20.500000+00:00"
    assert conversation.active_at.isoformat() == "2025-01-07T00:26:41+00:00"
    assert await read(shown, conversation) == [
        ("user", "Why are there tides?"),
        ("assistant", "The moon."),
    ]
    assert await Message.objects.acount() == 5
    reply = await Message.objects.aget(text="The moon.")
    assert (reply.endpoint_name, reply.model, reply.finish_reason) == ("ChatGPT", "gpt-4o", "stop")
    versions = Message.objects.filter(parent=reply.parent_id).order_by("asked_at")
    assert [m.text async for m in versions] == ["Nobody knows.", "The moon."]


async def test_a_repeated_import_repeats_nothing(browser: AsyncClient, alice: User) -> None:
    await imported(browser, [ordinary()])

    assert counts(await imported(browser, [ordinary()])) == (0, 1, 0)
    assert await browser.post("/conversations/delete/", {"conversation": (await mine(alice)).pk})
    assert counts(await imported(browser, [ordinary()])) == (1, 0, 0)


async def test_the_zip_that_chatgpt_sends_is_read_for_its_conversations_only(
    browser: AsyncClient, alice: User
) -> None:
    files = {
        "user.json": '{"email": "a@b"}',
        "export/conversations-000.json": json.dumps([ordinary()]),
        "export/conversations-001.json": json.dumps([ordinary() | {"id": "other"}]),
        "shared_conversations.json": '[{"title": "no"}]',
        "chat.html": "<html>",
    }

    assert counts(await imported(browser, zipped(files), "chatgpt.zip")) == (2, 0, 0)


async def test_one_reply_is_made_of_all_that_chatgpt_said_in_a_row(
    browser: AsyncClient, alice: User
) -> None:
    thoughts = {"content_type": "thoughts", "thoughts": [{"summary": "Hm", "content": "I see."}]}
    code = {"content_type": "code", "language": "python", "text": "print(1)"}
    search = {"content_type": "code", "language": "unknown", "text": "search('moon')"}
    await imported(
        browser,
        talk(
            node("q", None, "user", "Count"),
            node("t", "q", "assistant", content=thoughts),
            node("a", "t", "assistant", "First:"),
            node("call", "a", "assistant", content=search, recipient="web"),
            node("result", "call", "tool", "found it"),
            node("c", "result", "assistant", content=code),
            node("recap", "c", "assistant", content={"content_type": "reasoning_recap"}),
            node("z", "recap", "assistant", "Done."),
        ),
    )

    assert await read(shown, await mine(alice)) == [
        ("user", "Count"),
        ("assistant", "First:\n\n```python\nprint(1)\n```\n\nDone."),
    ]
    assert (await Message.objects.aget(role=Role.ASSISTANT)).reasoning == "Hm\n\nI see."


async def test_documents_and_sources_are_read_as_they_were_shown(
    browser: AsyncClient, alice: User
) -> None:
    told = {"name": "poem", "type": "document", "content": "Roses are red."}
    document = {"content_type": "code", "language": "json", "text": json.dumps(told)}
    mark, unknown = "\ue200cite\ue202turn0search1\ue201", "\ue200navlist\ue202turn1\ue201"
    references = [{"matched_text": mark, "alt": "([Weather](https://w.example))"}]
    await imported(
        browser,
        talk(
            node("q", None, "user", "Write, and look"),
            node("d", "q", "assistant", content=document, recipient="canmore.create_textdoc"),
            node(
                "a",
                "d",
                "assistant",
                f"It is sunny {mark}.{unknown}",
                metadata={"content_references": references},
            ),
        ),
    )

    assert (await read(shown, await mine(alice)))[1] == (
        "assistant",
        "Roses are red.\n\nIt is sunny ([Weather](https://w.example)).",
    )


async def test_a_branch_within_a_reply_becomes_two_versions_of_it(
    browser: AsyncClient, alice: User
) -> None:
    await imported(
        browser,
        talk(
            node("q", None, "user", "Count"),
            node("a", "q", "assistant", "One"),
            node("b", "a", "assistant", "two"),
            node("c", "a", "assistant", "TWO"),
            current="b",
        ),
    )

    assert (await read(shown, await mine(alice)))[1] == ("assistant", "One\n\ntwo")
    texts = [m.text async for m in Message.objects.filter(role=Role.ASSISTANT)]
    assert sorted(texts) == ["One\n\nTWO", "One\n\ntwo"]


async def test_what_is_no_text_is_named_and_what_is_hidden_stays_out(
    browser: AsyncClient, alice: User
) -> None:
    picture = {"content_type": "image_asset_pointer", "asset_pointer": "file-service://x"}
    parts = {"content_type": "multimodal_text", "parts": [picture, "What is this?"]}
    voice = {
        "content_type": "multimodal_text",
        "parts": [{"content_type": "audio_transcription", "text": "spoken"}, {"x": 1}],
    }
    await imported(
        browser,
        talk(
            node("s", None, "system", "You are a poet."),
            node("u", "s", "user", content={"content_type": "user_editable_context", "user": "x"}),
            node("q", "u", "user", content=parts),
            node("hidden", "q", "assistant", "secret", weight=0),
            node("a", "hidden", "assistant", content=voice),
        ),
    )

    conversation = await mine(alice)
    assert conversation.system_prompt == "You are a poet."
    assert await read(shown, conversation) == [
        ("user", "*[An image that the export has apart]*\n\nWhat is this?"),
        ("assistant", "spoken\n\n*[An attachment that the export has apart]*"),
    ]


async def test_a_person_can_choose_another_version_afterwards(
    browser: AsyncClient, alice: User
) -> None:
    await imported(browser, ordinary())
    other = await Message.objects.aget(text="Nobody knows.")

    await browser.post(f"/messages/{other.pk}/choose/")

    assert [text for _, text in await read(shown, await mine(alice))][1:] == [
        "Nobody knows.",
        "Really?",
        "Well.",
    ]


def circle() -> dict[str, Any]:
    return talk(node("a", "b", "user", "round"), node("b", "a", "assistant", "and round"))


NOTHING: dict[str, tuple[dict[str, Any], str]] = {
    "a circle": (circle(), "It has no messages"),
    "no nodes": (talk(node("root", None)), "It has no messages"),
    "unknown roles": (talk(node("a", None, "robot", "beep")), "It has no messages"),
    "nodes that are none": (talk(node("r", None), mapping={"a": 1, "b": None}), "no messages"),
    "no id": (ordinary() | {"id": None}, "Expected an id"),
    "an id without end": (ordinary() | {"id": "x" * 500}, "Expected an id"),
}


@pytest.mark.parametrize("name", NOTHING)
async def test_what_makes_no_conversation_is_skipped(browser: AsyncClient, name: str) -> None:
    content, reason = NOTHING[name]

    report = await imported(browser, [content])

    assert counts(report) == (0, 0, 1) and reason in why(report)["Tides"]
    assert not await Conversation.objects.aexists()


async def test_nodes_that_lie_about_their_relations_do_no_harm(
    browser: AsyncClient, alice: User
) -> None:
    odd = ordinary()
    odd["mapping"]["a2"]["children"] = ["q", "a2", "nowhere", 7, None]
    odd["mapping"]["a2"]["message"]["create_time"] = 1e300
    odd["mapping"]["q"]["message"]["metadata"] = []
    odd["mapping"]["b"]["parent"] = ["a list"]
    odd["current_node"] = {"not": "an id"}

    report = await imported(browser, [odd])

    assert counts(report) == (1, 0, 0)
    assert (await read(shown, await mine(alice)))[0] == ("user", "Why are there tides?")


async def test_thousands_of_nodes_in_a_row_are_one_reply(browser: AsyncClient, alice: User) -> None:
    nodes = [node("0", None, "user", "Go")]
    nodes += [node(str(i), str(i - 1), "assistant", f"{i}") for i in range(1, 5_000)]

    assert counts(await imported(browser, [talk(*nodes)])) == (1, 0, 0)
    assert (await read(shown, await mine(alice)))[1][1].endswith("4999")


async def test_thousands_of_turns_behind_hidden_nodes_are_read(
    browser: AsyncClient, alice: User
) -> None:
    nodes = [node("0", None)]
    for i in range(1, 4_000):
        role = ("user", "tool", "assistant", "tool")[i % 4]
        nodes.append(node(str(i), str(i - 1), role, f"{i}"))

    assert counts(await imported(browser, [talk(*nodes)])) == (1, 0, 0)
    assert len(await read(shown, await mine(alice))) == 1_999


async def test_references_cannot_make_a_text_grow(browser: AsyncClient, alice: User) -> None:
    references = [{"matched_text": "a", "alt": "aa"}] * 40
    await imported(
        browser,
        talk(
            node("q", None, "user", "Say a"),
            node("a", "q", "assistant", "a", metadata={"content_references": references}),
            node("d", "a", "assistant", content={"content_type": "code", "text": "[" * 2000}),
        ),
    )

    assert (await read(shown, await mine(alice)))[1][1].startswith("a")
