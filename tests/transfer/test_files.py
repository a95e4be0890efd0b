"""The files of messages: out with their conversation, and in again as what they are."""

import base64
import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError
from django.db.models.signals import pre_save
from django.test import AsyncClient

from chatapp.composing.attachments import store
from chatapp.database import read, write
from chatapp.library import catalog
from chatapp.models import Attachment, Conversation, Hold, Message
from chatapp.models.attachment import MAX_IMAGE_BYTES
from chatapp.transfer import document, importing, markdown, reading
from chatapp.transfer.archive import archive
from chatapp.transfer.names import file_name
from chatapp.transfer.slices import Talk
from tests.images import GIF, PNG, png
from tests.transfer.talks import body_of, counts, imported, said, why, zipped

NOTES = "\ufeff# Notes\r\n```\ncode\n```\n".encode()
SETTINGS = b'{"format": "chatapp.conversation", "version": 1, "messages": []}'
FILES = {"cat [1].png": PNG, "notes.md": NOTES, "settings.json": SETTINGS}

Held = list[tuple[str, str, bytes]]


@pytest.fixture
def talk(alice: User) -> Conversation:
    """A conversation with files in two of its messages."""
    conversation = Conversation.objects.create(owner=alice, title="Files")
    first = said(conversation, None, "Look", 0)
    second = said(conversation, said(conversation, first, "Nice.", 1), "And this?", 2)
    attach(alice, first, FILES)
    attach(alice, second, {"wave.gif": GIF})
    return conversation


def attach(user: User, message: Message, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        Attachment.objects.filter(pk=store(user, name, data, len(data)).pk).update(message=message)
    Message.objects.filter(pk=message.pk).update(file_count=len(files))


def held(conversation: Conversation) -> Held:
    """Its files in order, with their messages' texts."""
    files = Attachment.objects.filter(message__conversation=conversation).defer(None)
    return [(f.message.text, f.name, f.media_type, bytes(f.data)) for f in files]  # type: ignore[misc, union-attr]


async def export_and_delete(
    browser: AsyncClient, user: User, conversation: Conversation, address: str
) -> tuple[Held, bytes]:
    before, file = await read(held, conversation), await body_of(browser, address)
    await write(catalog.delete, user, [conversation.pk])
    return before, file


@pytest.mark.parametrize("address", ["/c/{}/export.json", "/export.zip"])
async def test_files_come_back_as_they_were_and_once(
    address: str, browser: AsyncClient, alice: User, talk: Conversation
) -> None:
    before, file = await export_and_delete(browser, alice, talk, address.format(talk.pk))
    assert len(before) == 4

    first, again = await imported(browser, file), await imported(browser, file)

    restored = await Conversation.objects.aget(deleted_at=None)
    assert (counts(first), counts(again)) == ((1, 0, 0), (0, 1, 0))
    assert await read(held, restored) == before
    assert [m.file_count async for m in restored.messages.all()] == [3, 0, 1]
    page = (await browser.get(f"/c/{restored.pk}/")).content.decode()
    assert 'alt="cat [1].png"' in page and "notes.md" in page
    assert await Attachment.objects.acount() == 2 * len(before), "the deleted one keeps its own"


async def test_a_zip_that_was_unpacked_and_packed_again_is_understood(
    browser: AsyncClient, alice: User, talk: Conversation
) -> None:
    before, file = await export_and_delete(browser, alice, talk, "/export.zip")
    folder = zipfile.ZipFile(io.BytesIO(file))
    packed = zipped({f"my backup/{name}": folder.read(name) for name in folder.namelist()})

    report = await imported(browser, packed, "backup.zip")

    restored = await Conversation.objects.aget(deleted_at=None)
    assert counts(report) == (1, 0, 0)
    assert await read(held, restored) == before


async def test_in_the_zip_files_stand_beside_what_names_them(
    browser: AsyncClient, talk: Conversation
) -> None:
    folder = zipfile.ZipFile(io.BytesIO(await body_of(browser, "/export.zip")))

    assert folder.testzip() is None
    data = json.loads(folder.read(file_name(talk, ".json", is_one_of_many=True)))
    listed = data["messages"][0]["attachments"]
    assert {each["name"]: folder.read(each["file"]) for each in listed} == FILES
    assert listed[0]["media_type"] == "image/png" and listed[0]["size"] == len(PNG)
    text = folder.read(file_name(talk, ".md", is_one_of_many=True)).decode()
    assert f"![cat \\[1\\].png](<{listed[0]['file']}>)" in text
    assert f"[notes.md](<{listed[1]['file']}>)" in text


@pytest.mark.usefixtures("transactional_db")
def test_the_json_alone_has_files_with_type_and_name(talk: Conversation) -> None:
    data = json.loads("".join(document.pieces(Talk(talk))))

    listed = data["messages"][0]["attachments"]
    assert [each["media_type"] for each in listed] == ["image/png", "text/plain", "text/plain"]
    assert {each["name"]: base64.b64decode(each["data"]) for each in listed} == FILES
    assert data["messages"][1]["attachments"] == []


@pytest.mark.usefixtures("transactional_db")
def test_the_markdown_alone_shows_text_in_its_place_and_pictures(talk: Conversation) -> None:
    text = "".join(markdown.pieces(Talk(talk)))

    assert "*Attached:* ![cat \\[1\\].png][file-1]\n" in text
    assert "*Attached:* notes.md\n\n````\n# Notes\r\n```\ncode\n```\n````\n" in text
    picture = base64.b64encode(PNG).decode()
    assert f"\n[file-1]: data:image/png;base64,{picture}\n" in text
    assert text.index("[file-1]: ") > text.index("And this?")
    assert "\n[file-2]: data:image/gif;base64," in text


@pytest.mark.usefixtures("transactional_db")
@pytest.mark.parametrize("kind", ["json", "markdown", "zip"])
def test_a_large_file_goes_out_in_small_pieces(kind: str, alice: User, talk: Conversation) -> None:
    image = png(filling=MAX_IMAGE_BYTES - 1000)
    last = talk.messages.last()
    assert last is not None
    attach(alice, last, {"large.png": image})
    streams: dict[str, Callable[[], Any]] = {
        "json": lambda: document.pieces(Talk(talk)),
        "markdown": lambda: markdown.pieces(Talk(talk)),
        "zip": lambda: archive(alice),
    }

    sizes = [len(piece) for piece in streams[kind]()]

    assert max(sizes) <= 64 * 1024
    assert kind == "zip" or sum(sizes) > MAX_IMAGE_BYTES


# --- Bad input ------------------------------------------------------------------------------------


def with_attachments(attachments: Any) -> dict[str, Any]:
    row = {"id": "6f2a1c3e-0000-4000-8000-000000000001", "role": "user", "text": "Look"}
    return {
        "format": "chatapp.conversation",
        "version": 1,
        "id": "6f2a1c3e-0000-4000-8000-000000000000",
        "title": "Files",
        "messages": [row | {"parent": None, "attachments": attachments}],
    }


def embedded(data: bytes, **values: Any) -> dict[str, Any]:
    return {"name": "a.png", "data": base64.b64encode(data).decode()} | values


@pytest.mark.parametrize(
    ("attachments", "reason"),
    [
        ([embedded(b"MZ\x90\0", media_type="image/png")], "neither a PNG"),
        ([embedded(PNG), embedded(PNG[:-4])], "damaged"),
        ([embedded(b"")], "is empty"),
        ([embedded(png(filling=MAX_IMAGE_BYTES))], "An image can have"),
        ([embedded(b"x" * 300_000)], "a text file"),
        ([{"name": "a.png", "data": "not base64!"}], "is broken"),
        ([{"name": "a.png", "data": "ä"}], "is broken"),
        ([{"name": "a.png", "file": "/etc/passwd"}], "import the whole zip"),
        ([embedded(PNG)] * 9, "8 files at most"),
        ({"a.png": "x"}, "8 files at most"),
    ],
)
async def test_a_conversation_with_a_file_that_nobody_could_send_stays_out_whole(
    attachments: Any, reason: str, browser: AsyncClient
) -> None:
    report = await imported(browser, with_attachments(attachments))

    assert counts(report) == (0, 0, 1), report.trouble
    assert reason in why(report)["Files"]
    assert not await Conversation.objects.aexists()
    assert not await Attachment.objects.aexists()


async def test_a_database_that_goes_away_for_a_moment_costs_nothing(
    browser: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes when half of the conversation is there."""
    monkeypatch.setattr(importing, "PAUSE_S", 0.01)
    failures = iter([OperationalError("away")])

    def fail(sender: object, **_: object) -> None:
        if (failure := next(failures, None)) is not None:
            raise failure

    pre_save.connect(fail, sender=Attachment)
    try:
        report = await imported(browser, with_attachments([embedded(PNG)]))
    finally:
        pre_save.disconnect(fail, sender=Attachment)

    assert counts(report) == (1, 0, 0), report.outcomes
    assert await Conversation.objects.filter(deleted_at=None).acount() == 1
    assert await Attachment.objects.acount() == 1


async def test_a_hold_keeps_no_good_one_out_and_is_not_told(
    browser: AsyncClient, alice: User
) -> None:
    await Hold.objects.acreate(person=alice, reason="a matter")
    bad = with_attachments([embedded(b"MZ\x90\0")])

    report = await imported(browser, [bad, with_attachments([])])

    assert counts(report) == (1, 0, 1)
    assert "neither a PNG" in why(report)["Files"]
    assert await Conversation.objects.filter(deleted_at=None).acount() == 1


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("attachments/none.png", "The zip has no file"),
        ("../../../etc/passwd", "The zip has no file"),
        ("/etc/passwd", "The zip has no file"),
        ("attachments/huge.png", "An image can have"),
        ("broken.png", "broken in the zip"),
    ],
)
async def test_only_what_is_in_the_zip_is_read(
    place: str, reason: str, browser: AsyncClient
) -> None:
    document = with_attachments([{"name": "a.png", "file": place}])
    whole = zipped(
        {
            "a.json": json.dumps(document),
            "attachments/huge.png": png(filling=MAX_IMAGE_BYTES),
            "broken.png": b"these bytes are about to change",
        },
        zipfile.ZIP_STORED,
    )

    report = await imported(browser, whole.replace(b"about to", b"not what"), "x.zip")

    assert counts(report) == (0, 0, 1), report.trouble
    assert reason in why(report)["Files"]
    assert not await Attachment.objects.aexists()


async def test_one_small_file_that_is_named_again_and_again_ends_the_import(
    browser: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MOST_UNPACKED_BYTES", 3_000_000)
    document = with_attachments([{"name": f"{i}.png", "file": "a.png"} for i in range(8)])
    bomb = zipped({"a.json": json.dumps(document), "a.png": png(filling=500_000)})

    report = await imported(browser, bomb, "bomb.zip")

    assert "too large" in why(report)["Files"]
    assert not await Attachment.objects.aexists()


async def test_a_document_that_only_names_its_files_is_taken_without_them(
    browser: AsyncClient,
) -> None:
    report = await imported(browser, with_attachments([f"{i}.png" for i in range(8)]))

    assert counts(report) == (1, 0, 0)
    assert (await Message.objects.aget()).file_count == 0
