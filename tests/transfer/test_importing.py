"""Our own files back in: equal, once, whole or not at all, and whatever else people upload."""

import asyncio
import gzip
import json
import struct
import uuid
import zipfile
from typing import Any
from unittest.mock import ANY

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import AsyncClient
from django.utils import timezone

from chatapp.database import read, write
from chatapp.library import catalog
from chatapp.library.search import search
from chatapp.models import Conversation, Endpoint, Import, Message, SearchEntry, Status
from chatapp.models.imported import SILENCE
from chatapp.transfer import draft, importing, reading
from chatapp.transfer.document import pieces
from chatapp.transfer.slices import Talk
from tests.transfer.talks import (
    body_of,
    counts,
    everything,
    imported,
    rich,
    said,
    shown,
    why,
    zipped,
)


def document_of(conversation: Conversation) -> dict[str, Any]:
    found: dict[str, Any] = json.loads("".join(pieces(Talk(conversation))))
    return found


@pytest.fixture
def document(alice: User) -> dict[str, Any]:
    """A document of a conversation that is not there any more."""
    conversation = rich(alice)
    found = document_of(conversation)
    conversation.delete()
    return found


async def test_export_delete_import_gives_back_everything(
    browser: AsyncClient, alice: User
) -> None:
    conversation = await write(rich, alice)
    before = await read(everything, conversation)
    path = await read(shown, conversation)
    file = await body_of(browser, f"/c/{conversation.pk}/export.json")
    await write(catalog.delete, alice, [conversation.pk])

    report = await imported(browser, file)

    restored = await Conversation.objects.aget(owner=alice, deleted_at=None)
    assert counts(report) == (1, 0, 0)
    assert await read(everything, restored) == before
    assert await read(shown, restored) == path
    assert restored.pk != conversation.pk and restored.source == f"chatapp:{conversation.pk}"


async def test_what_a_model_wrote_comes_back_as_it_was(
    browser: AsyncClient, endpoint: Endpoint, alice: User
) -> None:
    new = uuid.uuid4()
    form = {"text": "/echo **hi**", "key": str(uuid.uuid4())}
    await browser.post(f"/c/{new}/messages/", form)
    async with asyncio.timeout(30):
        while not await Message.objects.filter(status=Status.COMPLETE, text="**hi**").aexists():
            await asyncio.sleep(0.02)
    before = await read(everything, await Conversation.objects.aget())
    file = await body_of(browser, f"/c/{new}/export.json")
    await write(catalog.delete, alice, [new])

    assert counts(await imported(browser, file)) == (1, 0, 0)
    assert await read(everything, await Conversation.objects.aget(deleted_at=None)) == before


async def test_the_zip_of_all_gives_back_all(browser: AsyncClient, alice: User) -> None:
    conversations = [await write(rich, alice) for _ in range(3)]
    before = [await read(everything, one) for one in conversations]
    file = await body_of(browser, "/export.zip")
    await write(catalog.delete, alice, [one.pk for one in conversations])

    report = await imported(browser, file, "all.zip")

    restored = [c async for c in Conversation.objects.filter(owner=alice, deleted_at=None)]
    assert counts(report) == (3, 0, 0)
    assert [await read(everything, one) for one in restored] == before


async def test_what_is_there_is_not_imported_again(browser: AsyncClient, alice: User) -> None:
    conversation = await write(rich, alice)
    file = await body_of(browser, f"/c/{conversation.pk}/export.json")

    assert counts(await imported(browser, file)) == (0, 1, 0)
    await write(catalog.delete, alice, [conversation.pk])
    assert counts(await imported(browser, file)) == (1, 0, 0)
    assert counts(await imported(browser, file)) == (0, 1, 0)

    copy = await Conversation.objects.aget(deleted_at=None)
    again = await body_of(browser, f"/c/{copy.pk}/export.json")
    assert counts(await imported(browser, again)) == (0, 1, 0)
    await write(catalog.delete, alice, [copy.pk])
    assert counts(await imported(browser, again)) == (1, 0, 0)
    assert counts(await imported(browser, file)) == (0, 1, 0)
    assert await Conversation.objects.filter(deleted_at=None).acount() == 1


async def test_twice_in_one_file_is_imported_once(
    browser: AsyncClient, document: dict[str, Any]
) -> None:
    assert counts(await imported(browser, [document, document])) == (1, 1, 0)


async def test_someone_elses_file_becomes_ones_own(
    browser: AsyncClient, alice: User, bob: User
) -> None:
    theirs = await write(rich, bob)

    report = await imported(browser, await read(document_of, theirs))

    assert counts(report) == (1, 0, 0)
    mine = await Conversation.objects.aget(owner=alice)
    assert await read(shown, mine) == await read(shown, theirs)


async def test_what_was_imported_can_be_searched(
    browser: AsyncClient, alice: User, document: dict[str, Any]
) -> None:
    await imported(browser, document)

    assert [hit.conversation.title for hit in await read(search, alice, "because python")]
    assert await SearchEntry.objects.acount() == 3


async def test_a_reply_that_was_live_when_exported_is_interrupted(
    browser: AsyncClient, document: dict[str, Any]
) -> None:
    document["messages"][1]["status"] = "streaming"

    await imported(browser, document)

    message = await Message.objects.aget(rating=-1)
    assert message.status == Status.INTERRUPTED


async def test_long_conversations_are_written_in_slices(
    browser: AsyncClient, alice: User, conversation: Conversation
) -> None:
    last: Message | None = None
    for number in range(2 * importing.MESSAGES_A_SLICE + 5):
        last = await write(said, conversation, last, f"text {number}", number)
    before = await read(shown, conversation)
    file = await body_of(browser, f"/c/{conversation.pk}/export.json")
    await write(catalog.delete, alice, [conversation.pk])

    await imported(browser, file)

    restored = await Conversation.objects.aget(deleted_at=None)
    assert await read(shown, restored) == before


async def test_a_conversation_is_hidden_until_it_is_whole(
    alice: User, document: dict[str, Any]
) -> None:
    found = importing.document.draft_of(document, beside=lambda place: b"")
    second = found.messages[1]
    second.pk = found.messages[0].pk  # which the database refuses

    assert not await importing.store(alice, found)

    assert not await Conversation.objects.aexists()
    assert not await Message.objects.aexists()


Change = dict[str, Any]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"version": 2}, "newer chatapp"),
        ({"version": "1"}, "newer chatapp"),
        ({"messages": None}, "Expected a list of messages"),
        ({"messages": []}, "It has no messages"),
        ({"messages": [1]}, "Expected a list of messages"),
        ({"id": "x"}, "Expected an id"),
        ({"title": 5}, "“title” is not what it should be"),
        ({"created_at": "yesterday"}, "“created_at”"),
        ({"created_at": "2026-01-01T00:00:00"}, "“created_at”"),
        ({"parameters": {"temperature": "hot"}}, "number as temperature"),
        ({"parameters": {"x": {"y": 1}}}, "plain values"),
        ({"parameters": [[[[[[[1]]]]]]]}, "“parameters”"),
    ],
)
async def test_a_document_that_makes_no_sense_is_skipped_with_the_reason(
    browser: AsyncClient, document: dict[str, Any], change: Change, reason: str
) -> None:
    report = await imported(browser, document | change)

    assert counts(report) == (0, 0, 1)
    assert reason in next(iter(why(report).values()))
    assert not await Conversation.objects.aexists()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"role": "system"}, "“role”"),
        ({"status": "done"}, "“status”"),
        ({"text": None}, "“text”"),
        ({"text": {"a": 1}}, "“text”"),
        ({"input_tokens": -1}, "“input_tokens”"),
        ({"input_tokens": 10**12}, "“input_tokens”"),
        ({"input_tokens": True}, "“input_tokens”"),
        ({"input_tokens": 1.5}, "“input_tokens”"),
        ({"lane": 40_000}, "“lane”"),
        ({"model": "x" * 201}, "“model”"),
        ({"rating": 7}, "“rating”"),
        ({"error_kind": "boredom"}, "“error_kind”"),
        ({"seams": [99_999]}, "“seams”"),
        ({"seams": ["a"]}, "“seams”"),
        ({"arrivals": {"bucket_ms": 0, "counts": []}}, "“arrivals”"),
        ({"arrivals": {"bucket_ms": 1, "counts": [-1]}}, "“arrivals”"),
        ({"parent": "00000000-0000-4000-8000-000000000000"}, "do not follow"),
        ({"id": None}, "Expected an id"),
    ],
)
async def test_a_message_that_makes_no_sense_takes_its_conversation_with_it(
    browser: AsyncClient, document: dict[str, Any], change: Change, reason: str
) -> None:
    document["messages"][1] |= change

    report = await imported(browser, [document])

    assert counts(report) == (0, 0, 1)
    assert reason in next(iter(why(report).values()))
    assert not await Message.objects.aexists()


async def test_messages_in_a_circle_are_refused(
    browser: AsyncClient, document: dict[str, Any]
) -> None:
    first, second = document["messages"][:2]
    first["parent"] = second["id"]

    assert "do not follow" in str(why(await imported(browser, document)))


async def test_what_no_database_keeps_is_replaced(
    browser: AsyncClient, document: dict[str, Any]
) -> None:
    document["messages"][0]["text"] = "a\0b\ud800c"
    document["parameters"] = {"stop": ["\0"]}

    assert counts(await imported(browser, document)) == (1, 0, 0)
    assert (await Message.objects.order_by("asked_at").afirst()).text == "a�b�c"  # type: ignore[union-attr]


async def test_the_good_ones_of_a_file_come_in_and_the_bad_ones_are_named(
    browser: AsyncClient, document: dict[str, Any]
) -> None:
    bad = document | {"title": "The bad one", "version": 9}

    report = await imported(browser, [{"hello": "world"}, bad, document])
    page = (await browser.get(f"/imports/{report.pk}/")).content.decode()

    assert counts(report) == (1, 0, 2)
    assert why(report) == {"Conversation 1": ANY, "The bad one": ANY}
    assert "The bad one" in page and "newer chatapp" in page
    assert "not a conversation of chatapp" in page


async def test_conversations_one_a_line_are_all_read(
    browser: AsyncClient, document: dict[str, Any]
) -> None:
    lines = "\n".join([json.dumps(document)] * 3)

    assert counts(await imported(browser, lines.encode())) == (1, 2, 0)


async def test_what_follows_the_end_is_told(browser: AsyncClient, document: dict[str, Any]) -> None:
    report = await imported(browser, json.dumps([document]).encode() + b" and more")

    assert counts(report)[0] == 1
    assert "broken" in report.trouble


@pytest.mark.parametrize(
    "parameters", [{"stop": 5}, {"stop": True}, {"temperature": 10**400}, {"max_tokens": 2**60}]
)
async def test_parameters_that_nothing_can_use_are_refused(
    parameters: dict[str, Any], browser: AsyncClient, document: dict[str, Any]
) -> None:
    report = await imported(browser, document | {"parameters": parameters})

    assert counts(report) == (0, 0, 1)
    assert "“parameters” should have" in next(iter(why(report).values()))


async def test_a_backslash_is_kept(browser: AsyncClient, document: dict[str, Any]) -> None:
    stops = ["\\u0000", "\\n"]

    assert counts(await imported(browser, document | {"parameters": {"stop": stops}})) == (1, 0, 0)
    assert (await Conversation.objects.aget(deleted_at=None)).parameters == {"stop": stops}


HOSTILE: dict[str, tuple[bytes, str]] = {
    "nothing but space": (b"  \n ", "Expected JSON"),
    "no JSON": (b"hello", "Expected JSON"),
    "a number": (b"42", "Expected JSON"),
    "a list of numbers": (b"[1, 2]", "something else"),
    "a list of lists": (b"[[]]", "something else"),
    "UTF-16": ("{}".encode("utf-16"), "UTF-16"),
    "Latin-1": ('{"title": "é"}'.encode("latin-1"), "UTF-8"),
    "half a file": (b'[{"a": 1}, {"b": ', "broken"),
    "two commas": (b'[{"a": 1},, {}]', "something else"),
    "no commas": (b"[{} {}]", "broken"),
    "deep": (b'{"a":' * 100_000, "broken"),
    "deep and closed": (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, "broken"),
    "a number without end": (b'{"a": ' + b"9" * 10_000 + b"}", "broken"),
    "infinite": (b'{"a": 1e999}', "broken"),
    "not a number": (b'{"a": NaN}', "broken"),
    "gzip": (gzip.compress(b"{}"), "UTF-8"),
    "a zip of nothing": (zipped({}), "no .json file"),
    "a zip of pictures": (zipped({"a.png": b"x"}), "no .json file"),
    "a broken zip": (b"PK\x03\x04 and then nonsense", "directory can't be read"),
    "half a zip": (zipped({"a.json": b"{}" * 1000})[:-30], "directory can't be read"),
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_file_that_cannot_be_read_says_why(browser: AsyncClient, name: str) -> None:
    content, reason = HOSTILE[name]

    report = await imported(browser, content)
    page = (await browser.get(f"/imports/{report.pk}/")).content.decode()

    assert reason in report.trouble
    assert report.imported == 0 and "Nothing was imported." in page
    assert not await Conversation.objects.aexists()


async def test_what_stood_before_a_break_stays(
    browser: AsyncClient, document: dict[str, Any]
) -> None:
    file = b"[" + json.dumps(document).encode() + b', {"title": '

    report = await imported(browser, file)
    page = (await browser.get(f"/imports/{report.pk}/")).content.decode()

    assert counts(report) == (1, 0, 0)
    assert "broken" in report.trouble and "What came before it is imported." in page


async def test_a_zip_bomb_is_read_no_further_than_its_bound(
    browser: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MOST_UNPACKED_BYTES", 1_000_000)
    bomb = zipped({f"{i}.json": b" " * 900_000 for i in range(50)})

    report = await imported(browser, bomb, "bomb.zip")

    assert "too large" in report.trouble


async def test_a_conversation_without_end_is_given_up(
    browser: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MOST_OBJECT_CHARS", 100_000)

    report = await imported(browser, zipped({"a.json": b'{"a": "' + b"x" * 10_000_000}))

    assert "larger than" in next(iter(why(report).values()))


async def test_a_zip_with_a_directory_that_is_too_large_is_not_read(
    browser: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MOST_DIRECTORY_BYTES", 70_000)
    many = zipped({f"{i}.json": "" for i in range(2_000)}, zipfile.ZIP_STORED)

    assert "directory can't be read" in (await imported(browser, many)).trouble


async def test_a_zip_with_too_many_files_is_refused(
    browser: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MOST_FILES", 10)

    report = await imported(browser, zipped({f"{i}.json": "" for i in range(11)}))

    assert "more than 10 files" in report.trouble


async def test_too_many_conversations_end_the_import(
    browser: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MOST_OBJECTS", 10)

    report = await imported(browser, [{}] * 12)

    assert "more than 10 conversations" in report.trouble and report.skipped == 10


async def test_too_many_messages_are_refused(
    browser: AsyncClient, document: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draft, "MOST_MESSAGES", 3)

    assert "It has 4 messages; at most 3" in str(why(await imported(browser, document)))


async def test_files_in_a_zip_that_cannot_be_read_do_not_keep_the_others_out(
    browser: AsyncClient, document: dict[str, Any]
) -> None:
    files = {"1.json": b"nonsense", "../../2.json": json.dumps(document), "3.json": b"[1]"}
    locked = bytearray(zipped(files))
    at = locked.rindex(b"PK\x01\x02")
    locked[at + 8 : at + 10] = struct.pack("<H", 1)  # says that the last one is encrypted

    report = await imported(browser, bytes(locked))

    assert counts(report) == (1, 0, 2)
    assert why(report) == {"1.json": ANY, "3.json": "It is encrypted."}


async def test_a_way_of_compressing_that_takes_memory_is_not_taken(
    browser: AsyncClient, document: dict[str, Any]
) -> None:
    packed = zipped({"a.json": json.dumps(document)}, zipfile.ZIP_LZMA)

    assert "not taken" in why(await imported(browser, packed))["a.json"]


async def test_damaged_data_in_a_zip_is_named(
    browser: AsyncClient, document: dict[str, Any]
) -> None:
    packed = bytearray(zipped({"a.json": json.dumps(document)}))
    packed[60:90] = b"\xff" * 30

    assert "a.json" in why(await imported(browser, bytes(packed)))
    assert not await Conversation.objects.aexists()


async def test_no_file_or_one_that_is_too_large_is_said_at_once(
    browser: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:

    none = await browser.post("/imports/new/", {})
    empty = await browser.post("/imports/new/", {"file": SimpleUploadedFile("x.json", b"")})
    monkeypatch.setattr(importing, "MOST_BYTES", 3 * 1024**2)
    large = SimpleUploadedFile("x.json", b" " * 4 * 1024**2)
    too_large = await browser.post("/imports/new/", {"file": large})

    assert [none.status_code, empty.status_code, too_large.status_code] == [422, 422, 422]
    assert "Choose a file" in none.content.decode()
    assert "A file can have 3 MB; this one has 4." in too_large.content.decode()
    assert not await Import.objects.aexists()


async def test_a_file_that_is_kept_on_disk_outlives_its_request(
    browser: AsyncClient, document: dict[str, Any]
) -> None:
    padded = json.dumps(document).encode() + b" " * 3 * 1024**2

    assert counts(await imported(browser, padded)) == (1, 0, 0)


async def test_one_import_at_a_time(browser: AsyncClient, alice: User) -> None:
    running = await Import.objects.acreate(owner=alice, name="x.zip", size=100, position=40)
    page = (await browser.get(f"/imports/{running.pk}/")).content.decode()

    answer = await browser.post("/imports/new/", {"file": SimpleUploadedFile("x.json", b"{}")})

    assert answer.status_code == 422 and "still going on" in answer.content.decode()
    assert '<meta http-equiv="refresh"' in page and 'value="40"' in page


async def test_an_import_whose_process_is_gone_says_so_and_lets_the_next_begin(
    browser: AsyncClient, alice: User, document: dict[str, Any]
) -> None:
    lost = await Import.objects.acreate(owner=alice, name="x.zip", size=100)
    long_ago = timezone.now() - 2 * SILENCE
    await Import.objects.filter(pk=lost.pk).aupdate(updated_at=long_ago)

    page = (await browser.get(f"/imports/{lost.pk}/")).content.decode()

    assert "The server stopped" in page and "refresh" not in page
    assert counts(await imported(browser, document)) == (1, 0, 0)


async def test_nobody_sees_anothers_imports(browser: AsyncClient, bob: User) -> None:
    theirs = await Import.objects.acreate(owner=bob, name="secret.zip", size=1)

    assert (await browser.get(f"/imports/{theirs.pk}/")).status_code == 404
    assert "secret.zip" not in (await browser.get("/imports/")).content.decode()
