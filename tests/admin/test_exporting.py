"""Exports of conversations by those who may: what is in them, and what is written down."""

import asyncio
import csv
import io
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

import pytest
from asgiref.testing import ApplicationCommunicator
from django.conf import settings
from django.contrib.auth.models import User
from django.test import AsyncClient

from chatapp.asgi import application
from chatapp.database import write
from chatapp.models import AuditEvent, Conversation, Export, Message, Role
from chatapp.transfer import document
from tests.rights import staff
from tests.tab import sign_in
from tests.transfer.talks import rich

LIST = "/admin/chatapp/conversation/"
EXPORT = f"{LIST}export/"
RIGHTS = ("view_conversation", "export_conversation")


@pytest.fixture
async def exporter(transactional_db: None) -> AsyncClient:
    return await signed_in(await write(staff, "erik", rights=RIGHTS))


async def signed_in(user: User) -> AsyncClient:
    client = AsyncClient()
    await client.aforce_login(user)
    return client


async def exported(
    client: AsyncClient, kind: str, *ids: UUID, query: str = "", key: str = ""
) -> str:
    """The file's text, when all that is to be written down is."""
    key = key or str(uuid4())
    form = {"kind": kind, "key": key, "ids": ",".join(map(str, ids))}
    answer = await client.post(EXPORT + query, form)
    assert answer.status_code == 200, answer.content
    text = b"".join([part async for part in answer.streaming_content]).decode()
    await until_over(key)
    return text


async def until_over(key: str) -> Export:
    async with asyncio.timeout(30):
        while not (found := await Export.objects.filter(pk=key).afirst()) or not found.finished_at:
            await asyncio.sleep(0.02)
    return found


def events() -> list[AuditEvent]:
    return list(AuditEvent.objects.order_by("id"))


async def test_json_lines_lose_nothing_and_can_be_imported(
    exporter: AsyncClient, alice: User, bob: User
) -> None:
    first, second = await write(rich, alice), await write(rich, bob)
    await Conversation.objects.filter(pk=second.pk).aupdate(deleted_at=second.created_at)

    lines = (await exported(exporter, "jsonl")).splitlines()

    found = {line["id"]: line for line in map(json.loads, lines)}
    assert set(found) == {str(first.pk), str(second.pk)}
    assert found[str(first.pk)]["person"] == "alice"
    assert found[str(first.pk)]["deleted_at"] is None
    assert found[str(second.pk)]["deleted_at"] == second.created_at.isoformat()
    drafts = [document.draft_of(line, {}.__getitem__) for line in found.values()]
    assert [len(draft.messages) for draft in drafts] == [4, 4]
    assert drafts[0].messages[1].reasoning == "Let me think\n</details>"


async def test_the_table_and_the_document_have_everybodys(
    exporter: AsyncClient, alice: User, bob: User
) -> None:
    for person in (alice, bob):
        await write(rich, person)

    table = await exported(exporter, "csv")
    text = await exported(exporter, "md")

    rows = list(csv.DictReader(io.StringIO(table.removeprefix("\ufeff"), newline="")))
    assert sorted({row["person"] for row in rows}) == ["alice", "bob"]
    assert len(rows) == 8
    assert text.count('# A "quoted" / title') == 2
    assert "## alice\n" in text and "## bob\n" in text and "## You" not in text


async def test_the_selected_ones_alone_are_exported(exporter: AsyncClient, alice: User) -> None:
    made = [await Conversation.objects.acreate(owner=alice, title=title) for title in "ABC"]
    chosen = {"action": "export_selected", "_selected_action": [made[0].pk, made[2].pk]}

    page = (await exporter.post(LIST, chosen)).content.decode()
    lines = (await exported(exporter, "jsonl", made[0].pk, made[2].pk)).splitlines()

    assert "2 conversations" in page and f"{made[0].pk}" in page
    assert sorted(json.loads(line)["title"] for line in lines) == ["A", "C"]
    begun, *each, ended = await write(events)
    assert begun.object_id == "" and begun.detail["conversations"] == 2
    assert {event.object_id for event in each} == {str(made[0].pk), str(made[2].pk)}
    assert ended.detail["ended"] == "complete"


async def test_what_a_filter_finds_is_exported_whole(exporter: AsyncClient, alice: User) -> None:
    titles = [f"{'odd' if n % 2 else 'even'} {n}" for n in range(120)]
    await Conversation.objects.abulk_create(Conversation(owner=alice, title=t) for t in titles)
    chosen = {"action": "export_selected", "select_across": "1"}
    chosen["_selected_action"] = str((await Conversation.objects.afirst() or Conversation()).pk)

    listed = (await exporter.get(f"{LIST}?q=odd")).content.decode()
    led = await exporter.post(f"{LIST}?q=odd", chosen)
    page = (await exporter.get(f"{EXPORT}?q=odd")).content.decode()
    lines = (await exported(exporter, "jsonl", query="?q=odd")).splitlines()

    assert f'href="{EXPORT}?q=odd"' in listed
    assert led.headers["location"] == f"{EXPORT}?q=odd"
    assert "60 conversations" in page and "search: odd" in page
    assert len(lines) == 60
    assert all(json.loads(line)["title"].startswith("odd") for line in lines)
    begun, *each, _ended = await write(events)
    assert begun.detail["filter"] == "q=odd" and len({event.object_id for event in each}) == 60


async def test_an_export_is_written_down_with_what_of_whom_was_sent(
    exporter: AsyncClient, alice: User
) -> None:
    conversation = await write(rich, alice)
    key = str(uuid4())

    await exported(exporter, "csv", conversation.pk, key=key)

    begun, its, ended = await write(events)
    assert (begun.action, begun.actor_name, begun.address) == ("export", "erik", "127.0.0.1")
    assert (its.object_id, its.object_name) == (str(conversation.pk), "alice")
    assert its.detail == {"export": key, "format": "csv"}
    assert begun.detail["conversations"] == 1 and begun.detail["format"] == "csv"
    assert ended.detail == {
        "export": key,
        "ended": "complete",
        "conversations": 1,
        "messages": 4,
    }


async def test_progress_is_the_exporters_own(exporter: AsyncClient, alice: User) -> None:
    key = str(uuid4())
    await write(rich, alice)
    await exported(exporter, "md", key=key)
    other = await signed_in(await write(staff, "olga", rights=RIGHTS))

    mine = (await exporter.get(f"{EXPORT}{key}/progress/")).json()
    theirs = (await other.get(f"{EXPORT}{key}/progress/")).json()

    assert (mine["total"], mine["conversations"], mine["over"]) == (1, 1, True)
    assert mine["messages"] == 3, "what people see, not other versions"
    assert (theirs["total"], theirs["over"]) == (None, False)


async def test_a_form_that_is_sent_twice_exports_twice(exporter: AsyncClient, alice: User) -> None:
    key = str(uuid4())
    await write(rich, alice)

    for _ in range(2):
        assert await exported(exporter, "jsonl", key=key)

    assert await Export.objects.acount() == 2


@pytest.mark.parametrize(
    "form",
    [
        {"kind": "exe"},
        {"kind": "csv", "key": "nonsense"},
        {"kind": "csv", "ids": "1,2"},
        {"kind": "csv", "ids": ",".join([str(uuid4())] * 1001)},
    ],
)
async def test_a_wish_that_makes_no_sense_is_answered_with_the_form(
    form: dict[str, str], exporter: AsyncClient
) -> None:
    answer = await exporter.post(EXPORT, {"key": str(uuid4()), **form})

    assert answer.status_code == 422
    assert "errorlist" in answer.content.decode()
    assert await write(events) == []


@pytest.mark.parametrize("query", ["?created_at__gte=never", "?no=1"])
async def test_a_filter_that_does_not_exist_exports_nothing(
    query: str, exporter: AsyncClient
) -> None:
    answer = await exporter.post(EXPORT + query, {"kind": "csv", "key": str(uuid4())})

    assert (answer.status_code, answer.headers["location"]) == (302, LIST + query)
    assert await write(events) == []


async def test_the_page_says_what_is_chosen_as_the_list_does(
    exporter: AsyncClient, alice: User
) -> None:
    await Conversation.objects.acreate(owner=alice, title="One")

    page = (await exporter.get(f"{EXPORT}?error=no&user=alice&to=2099-01-02")).content.decode()

    assert "errors: has none" in page and "user: alice" in page and "to: 2 January 2099" in page


@pytest.mark.parametrize("query", ["?q=%00", "?title=x", "?user=%00", "?o=4.-9x"])
async def test_an_address_that_the_list_refuses_is_sent_there(
    query: str, exporter: AsyncClient
) -> None:
    answer = await exporter.get(EXPORT + query)

    assert answer.status_code == 302 and answer.headers["location"].startswith(f"{LIST}?")


async def test_a_link_names_one_to_export(exporter: AsyncClient, alice: User) -> None:
    await Conversation.objects.acreate(owner=alice)
    conversation = await Conversation.objects.acreate(owner=alice)

    page = (await exporter.get(f"{EXPORT}?only={conversation.pk}")).content.decode()

    assert "One conversation" in page and f'value="{conversation.pk}"' in page
    assert (await exporter.get(f"{EXPORT}?only=nonsense")).status_code == 404


async def test_export_is_a_right_of_its_own(alice: User, conversation: Conversation) -> None:
    form = {"kind": "csv", "key": str(uuid4())}
    for person in (
        await write(staff, "anna", "Auditor"),
        await write(staff, "ben", rights=("export_conversation",)),
    ):
        client = await signed_in(person)

        assert (await client.get(EXPORT)).status_code == 403
        assert (await client.post(EXPORT, form)).status_code == 403
        assert (await client.get(f"{EXPORT}{uuid4()}/progress/")).status_code == 403
        await client.post(LIST, {"action": "export_selected", "_selected_action": conversation.pk})
    assert "Export all" not in (await client.get(LIST)).content.decode()
    assert await write(events) == []


async def test_no_key_is_in_any_format(
    exporter: AsyncClient, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_API_KEY", "sk-canary")
    await write(rich, alice)

    for kind in ("jsonl", "csv", "md"):
        text = await exported(exporter, kind)
        assert "Kimi K2" in text
        assert "sk-canary" not in text and "SECRET_API_KEY" not in text


async def test_a_reader_who_leaves_ends_it_and_how_much_they_got_is_written_down(
    alice: User, tab_of: Callable[..., Any]
) -> None:
    await write(many, alice, 3000)
    erik = await write(staff, "erik", rights=RIGHTS)
    download = Download(await write(sign_in, erik))

    await download.begin()
    for _ in range(3):
        await download.receive()
    await download.leave()

    export = await until_over(download.key)
    assert not export.is_complete
    assert 0 < export.messages < 3000
    _begun, *_each, ended = await write(events)
    assert ended.detail["ended"] == "interrupted"
    assert ended.detail["messages"] == export.messages


def many(owner: User, count: int) -> None:
    conversation = Conversation.objects.create(owner=owner)
    Message.objects.bulk_create(
        Message(conversation=conversation, role=Role.USER, text=f"{n}") for n in range(count)
    )


class Download:
    """An export over the real application, whose reader can leave."""

    def __init__(self, session_key: str) -> None:
        self.key = str(uuid4())
        self._cookie = f"{settings.SESSION_COOKIE_NAME}={session_key}".encode()
        self._body = b""

    async def begin(self) -> None:
        page = ApplicationCommunicator(application, self._scope("GET"))
        await page.send_input({"type": "http.request", "body": b""})
        await page.receive_output(30)
        html = (await page.receive_output(30))["body"].decode()
        token = html.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
        form = {"kind": "csv", "key": self.key, "csrfmiddlewaretoken": token}
        self._reader = ApplicationCommunicator(application, self._scope("POST"))
        await self._reader.send_input({"type": "http.request", "body": urlencode(form).encode()})
        assert (await self.receive())["status"] == 200

    async def receive(self) -> Any:
        return await self._reader.receive_output(30)

    async def leave(self) -> None:
        await self._reader.send_input({"type": "http.disconnect"})
        await self._reader.wait(10)

    def _scope(self, method: str) -> dict[str, Any]:
        headers = [(b"host", b"testserver"), (b"cookie", self._cookie)]
        headers.append((b"content-type", b"application/x-www-form-urlencoded"))
        return {
            "type": "http",
            "method": method,
            "path": EXPORT,
            "query_string": b"",
            "headers": headers,
            "client": ("127.0.0.1", 4711),
            "scheme": "http",
        }
