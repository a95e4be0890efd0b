"""Conversations as files: what is in them, what they are called, how much is held at a time."""

import io
import json
import re
import zipfile
from typing import Any
from weakref import WeakSet

import pytest
from django.contrib.auth.models import User
from django.db import connection, models
from django.db.models import signals
from django.test import AsyncClient
from django.test.utils import CaptureQueriesContext

from chatapp.database import write
from chatapp.library import catalog
from chatapp.models import Conversation, Message, Role
from chatapp.transfer import markdown, slices
from chatapp.transfer.archive import archive
from chatapp.transfer.document import LEFT_OUT, columns, pieces
from chatapp.transfer.names import file_name, safe
from tests.transfer.talks import body_of, rich, said


async def test_the_json_says_what_it_is_and_has_every_branch(
    browser: AsyncClient, alice: User
) -> None:
    conversation = await write(rich, alice)

    document = json.loads(await body_of(browser, f"/c/{conversation.pk}/export.json"))

    assert (document["format"], document["version"]) == ("chatapp.conversation", 1)
    assert (document["id"], document["endpoint"]) == (str(conversation.pk), "Kimi K2")
    assert len(document["messages"]) == 4
    assert document["messages"][1]["seams"] == [3, 8]
    assert document["messages"][1]["parent"] == document["messages"][0]["id"]


def test_every_column_is_in_the_document_or_left_out_on_purpose() -> None:
    for model in (Conversation, Message):
        names = {field.name for field in model._meta.concrete_fields}
        assert LEFT_OUT[model] <= names
        assert not [column for column in columns(model) if column.is_relation]


@pytest.mark.usefixtures("transactional_db")
def test_no_key_is_in_the_document(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_API_KEY", "sk-canary")

    text = "".join(pieces(slices.Talk(rich(alice))))

    assert "SECRET_API_KEY" not in text and "sk-canary" not in text


async def test_the_markdown_reads_like_the_page(browser: AsyncClient, alice: User) -> None:
    conversation = await write(rich, alice)

    text = (await body_of(browser, f"/c/{conversation.pk}/export.md")).decode()

    assert text.startswith('# A "quoted" / title\\ with')
    assert re.findall("^## .*", text, re.MULTILINE) == [
        "## You",
        "## Kimi K2 · moonshotai/Kimi-K2",
        "## You",
    ]
    assert "<summary>Reasoning</summary>" in text
    assert "> The reply reached the length limit." in text
    assert "Because:\n```python\nprint('```')\n```\n" in text
    assert "Slow" not in text, "another version of the turn is shown"


@pytest.mark.usefixtures("transactional_db")
def test_the_markdown_notes_errors_and_refusals(alice: User) -> None:
    conversation = rich(alice)
    Message.objects.filter(error_kind="rate_limit").update(chosen_at="2027-01-01T00:00:00Z")

    text = "".join(markdown.pieces(slices.Talk(conversation)))

    assert "> **Refused:** I'd rather not.\n" in text
    assert "> **The endpoint's rate limit was reached** (HTTP 429)\n> Slow\n> down\n" in text


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("a\n```\nopen", "\n```"),
        ("a\n````md\n```\nx\n```\n", "\n````"),
        ("~~~ `x`\ncode", "\n~~~"),
        ("```\nwhole\n```", "whole\n```"),
        ("``` a ` b", "``` a ` b"),
        ("plain", "plain"),
    ],
)
def test_a_fence_that_was_left_open_is_closed(text: str, end: str) -> None:
    assert markdown.closed(text).endswith(end)
    assert markdown.closed(text).startswith(text.rstrip("\n"))


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("../../etc/passwd", "etc passwd"),
        ('a"b\\c:d*e?f<g>h|i', "a b c d e f g h i"),
        ("\u202egpj.exe\u2066", "gpj.exe"),
        ("line\r\nSet-Cookie: x\0y", "line Set-Cookie x y"),
        ("...", "Conversation"),
        ("e\u0301te\u0301", "été"),
        ("漢" * 80, "漢" * 50),
    ],
    ids=["path", "marks", "direction", "header", "dots", "accents", "long"],
)
def test_a_file_name_is_safe_everywhere(title: str, name: str) -> None:
    assert safe(title) == name


async def test_the_download_has_the_conversations_day_and_title(
    browser: AsyncClient, alice: User
) -> None:
    conversation = await write(rich, alice)

    answer = await browser.get(f"/c/{conversation.pk}/export.json")

    said = answer.headers["Content-Disposition"]
    assert said == (
        "attachment; filename*=utf-8''"
        "2026-03-01%20A%20quoted%20title%20with%20turns%20and%20%C3%9Cn%C3%AFcode.json"
    )
    assert "no-store" in answer.headers["Cache-Control"]


async def test_nobody_else_can_export_it(bob: User, browser: AsyncClient) -> None:
    theirs = await Conversation.objects.acreate(owner=bob)

    assert (await browser.get(f"/c/{theirs.pk}/export.json")).status_code == 404
    assert (await AsyncClient().get("/export.zip")).status_code == 302
    mine = await Conversation.objects.aget(pk=theirs.pk)
    assert (await browser.get(f"/c/{mine.pk}/export.exe")).status_code == 404


async def test_the_zip_has_all_of_mine_twice_and_nothing_else(
    browser: AsyncClient, alice: User, bob: User
) -> None:
    conversation = await write(rich, alice)
    await write(rich, alice)
    await write(rich, bob)
    gone = await write(rich, alice)
    await write(catalog.delete, alice, [gone.pk])

    folder = zipfile.ZipFile(io.BytesIO(await body_of(browser, "/export.zip")))

    assert folder.testzip() is None
    names = folder.namelist()
    assert len(set(names)) == 4 and all(name.isprintable() for name in names)
    assert file_name(conversation, ".md", is_one_of_many=True) in names
    document = json.loads(folder.read(file_name(conversation, ".json", is_one_of_many=True)))
    assert document["id"] == str(conversation.pk)


async def test_who_has_nothing_gets_an_empty_zip(browser: AsyncClient) -> None:
    folder = zipfile.ZipFile(io.BytesIO(await body_of(browser, "/export.zip")))

    assert folder.namelist() == []


def many(owner: User, count: int, chars: int = 10) -> None:
    conversations = [Conversation(owner=owner, title=f"talk {i}") for i in range(count)]
    Conversation.objects.bulk_create(conversations)
    Message.objects.bulk_create(
        Message(conversation=one, role=Role.USER, text="x" * chars) for one in conversations
    )


@pytest.mark.usefixtures("transactional_db")
def test_two_thousand_conversations_are_never_held_together(alice: User) -> None:
    many(alice, 2_000, chars=2_000)
    alive: WeakSet[models.Model] = WeakSet()

    def born(instance: models.Model, **_: Any) -> None:
        alive.add(instance)

    most = 0
    sizes: list[int] = []
    signals.post_init.connect(born)
    try:
        for piece in archive(alice):
            sizes.append(len(piece))
            most = max(most, len(alive))
    finally:
        signals.post_init.disconnect(born)

    assert most <= 2 * (slices.CONVERSATIONS + slices.MESSAGES)
    assert max(sizes[:-1]) < 16 * 1024
    assert sizes[-1] < 2_000 * 2 * 200, "the names, for the zip's directory"


@pytest.mark.usefixtures("transactional_db")
def test_a_slice_holds_so_many_rows_and_no_more(
    alice: User, conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slices, "MESSAGES", 3)
    monkeypatch.setattr(slices, "CONVERSATIONS", 2)
    last: Message | None = None
    for number in range(8):
        last = said(conversation, last, f"text {number}", number)
    many(alice, 4)

    with CaptureQueriesContext(connection) as queries:
        found = list(slices.conversations_of(alice))
        talk = slices.Talk(conversation)
        texts = [message.text for message in talk.messages()]
        path = [message.text for message in talk.path()]

    assert len(found) == 5
    assert texts == path == [f"text {number}" for number in range(8)]
    conversations = [q["sql"] for q in queries if 'FROM "chatapp_conversation"' in q["sql"]]
    assert len(conversations) == 4 and all("LIMIT 2" in sql for sql in conversations)
    messages = [q["sql"] for q in queries if '"chatapp_message"."text"' in q["sql"]]
    assert len(messages) == 1 + 3 + 3
    assert "LIMIT 4" in messages[0]


async def test_what_is_not_taken_is_not_made(alice: User) -> None:
    steps: list[int] = []

    def endless() -> Any:
        while True:
            steps.append(1)
            yield b"x"

    stream = slices.in_slices(endless())
    await anext(stream)
    await stream.aclose()  # type: ignore[attr-defined]

    assert len(steps) <= slices.PIECES
