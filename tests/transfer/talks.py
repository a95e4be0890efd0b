"""Conversations to move about, and uploads of them."""

import asyncio
import io
import json
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import AsyncClient

from chatapp.models import Conversation, Endpoint, Import, Message, Role, Status
from chatapp.models.message import path_of
from chatapp.transfer.document import columns

T0 = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
TITLE = 'A "quoted" / title\\ with \u202eturns\u202c and\u0007 Ünïcode'


def rich(owner: User) -> Conversation:
    """A conversation that has something in every column: branches, errors, seams, ratings."""
    endpoint, _ = Endpoint.objects.get_or_create(
        name="Kimi K2", protocol="openai", url="http://x/v1", api_key_env="SECRET_API_KEY"
    )
    conversation = Conversation.objects.create(
        owner=owner,
        title=TITLE,
        is_title_own=True,
        endpoint=endpoint,
        system_prompt="Be brief\nand kind",
        parameters={"temperature": 0.5, "stop": ["END"], "max_tokens": 100},
        created_at=T0,
        active_at=T0 + timedelta(hours=1),
        answered_at=T0 + timedelta(hours=1),
        seen_at=T0 + timedelta(hours=2),
        pinned_at=T0 + timedelta(hours=3),
        archived_at=T0 + timedelta(hours=4),
    )
    first = said(conversation, None, "Why?\r\n\ttabs, “quotes”, 𝄞 and <b>markup</b>", 0)
    answer = said(
        conversation,
        first,
        "Because:\n```python\nprint('```')\n",
        1,
        reasoning="Let me think\n</details>",
        status=Status.STOPPED,
        finish_reason="length",
        input_tokens=12,
        output_tokens=34,
        endpoint=endpoint,
        endpoint_name="Kimi K2",
        model="moonshotai/Kimi-K2",
        system_prompt="Be brief",
        parameters={"temperature": 0.7},
        attempts=2,
        request_sent_at=T0,
        headers_at=T0 + timedelta(seconds=1),
        first_token_at=T0 + timedelta(seconds=2),
        last_token_at=T0 + timedelta(seconds=3),
        finished_at=T0 + timedelta(seconds=4),
        arrivals={"bucket_ms": 10.0, "counts": [1, 0, 3]},
        rating=-1,
        rating_reason="too short",
        seams=[3, 8],
        stop_requested_at=T0 + timedelta(seconds=4),
        chosen_at=T0 + timedelta(days=1),
        request_id="req-1",
    )
    said(
        conversation,
        first,
        "",
        2,
        refusal="I'd rather not.",
        status=Status.ERROR,
        error_kind="rate_limit",
        error_status=429,
        error_message="Slow\ndown",
        error_retry_after_s=1.5,
        endpoint=endpoint,
        endpoint_name="Kimi K2",
        lane=1,
    )
    said(conversation, answer, "And now?", 3)
    return conversation


def said(
    conversation: Conversation, parent: Message | None, text: str, minute: int, **fields: Any
) -> Message:
    role = Role.USER if parent is None or parent.role == Role.ASSISTANT else Role.ASSISTANT
    at = T0 + timedelta(minutes=minute)
    values = {"asked_at": at, "chosen_at": at} | fields
    return Message.objects.create(
        conversation=conversation, parent=parent, role=role, text=text, **values
    )


def everything(conversation: Conversation) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """All that a conversation holds, in a form that is equal for equal ones."""
    conversation = Conversation.objects.select_related("endpoint").get(pk=conversation.pk)
    head = {column.name: getattr(conversation, column.name) for column in columns(Conversation)}
    messages = list(conversation.messages.order_by("asked_at"))
    places = {message.pk: place for place, message in enumerate(messages)}
    rows = [
        {column.name: getattr(message, column.name) for column in columns(Message)}
        | {"parent": places.get(message.parent_id), "endpoint": message.endpoint_id}  # type: ignore[call-overload]
        for message in messages
    ]
    return head | {"endpoint": conversation.endpoint}, rows


def shown(conversation: Conversation) -> list[tuple[str, str]]:
    """Role and text of what its page shows."""
    return [(m.role, m.text) for m in path_of(list(conversation.messages.all()))]


async def body_of(client: AsyncClient, address: str) -> bytes:
    answer = await client.get(address)
    assert answer.status_code == 200
    return b"".join([part async for part in answer.streaming_content])


async def imported(client: AsyncClient, content: bytes | Any, name: str = "x.json") -> Import:
    """The report, when all is over, of a file that a person uploads."""
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    answer = await client.post("/imports/new/", {"file": SimpleUploadedFile(name, data)})
    assert answer.status_code == 302, answer.content.decode()
    return await ended(answer.headers["location"])


async def ended(address: str) -> Import:
    async with asyncio.timeout(30):
        while True:
            report = await Import.objects.aget(pk=address.split("/")[-2])
            if report.finished_at:
                return report
            await asyncio.sleep(0.02)


def zipped(files: Mapping[str, bytes | str], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", method) as folder:
        for name, content in files.items():
            folder.writestr(name, content)
    return sink.getvalue()


def counts(report: Import) -> tuple[int, int, int]:
    """Imported, already there, skipped."""
    return report.imported, report.present, report.skipped


def why(report: Import) -> dict[str, str]:
    """Of those that were skipped: title → reason."""
    return {row["title"]: row["why"] for row in report.outcomes if row["what"] == "skipped"}
