"""Rows of replies at work, on whichever process → what the live page tells of them.

The rows, not the processes, are asked: every owner writes at least once a second how far it is, so
one query tells of all of them. The text is never read.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models.functions import Now

from chatapp.models import Message, Status
from chatapp.models.message import live_messages

MOST_SHOWN = 100
_COLUMNS = (
    "pk",
    "status",
    "conversation__owner__username",
    "endpoint_name",
    "model",
    "owner",
    "asked_at",
    "chosen_at",
    "first_token_at",
    "arrivals",
    "seams",
    "stop_requested_at",
)


@dataclass(frozen=True, slots=True)
class Running:
    """A reply at work. `tokens` are the pieces that came, by its last checkpoint."""

    pk: UUID
    person: str
    endpoint: str
    model: str
    process: str
    age_s: float
    tokens: int
    rate: float | None
    is_waiting: bool
    is_stopping: bool


@dataclass(frozen=True, slots=True)
class Board:
    """All that runs: how much of it where, and of what was asked for the oldest replies."""

    shown: Sequence[Running]
    count: int
    matching: int
    endpoints: Sequence[tuple[str, int]]
    processes: Sequence[tuple[str, int]]

    @property
    def hidden(self) -> int:
        return self.matching - len(self.shown)


def board(endpoint: str = "") -> Board:
    """What runs now; of `endpoint` alone if one is named."""
    rows = list(
        live_messages().order_by("asked_at", "id").annotate(now=Now()).values(*_COLUMNS, "now")
    )
    matching = [row for row in rows if endpoint in ("", row["endpoint_name"])]
    endpoints = Counter(row["endpoint_name"] for row in rows)
    processes = Counter(_process(row["owner"]) for row in rows)
    return Board(
        [_running(row) for row in matching[:MOST_SHOWN]],
        len(rows),
        len(matching),
        endpoints.most_common(),
        processes.most_common(),
    )


def find(reply_id: UUID) -> Message | None:
    """The reply if it is at work, without its text."""
    found = Message.objects.filter(pk=reply_id).select_related("conversation__owner")
    columns = ("status", "role", "endpoint_name", "model", "conversation__owner__username")
    reply = found.only(*columns).first()
    return reply if reply is not None and reply.is_live else None


def _running(row: dict[str, Any]) -> Running:
    now = row["now"]
    began = row["chosen_at"] if row["seams"] else row["asked_at"]
    is_waiting = row["status"] == Status.QUEUED
    tokens = 0 if is_waiting else sum(row["arrivals"].get("counts", ()))
    writing_s = 0.0 if is_waiting else _seconds(row["first_token_at"], now)
    return Running(
        pk=row["pk"],
        person=row["conversation__owner__username"],
        endpoint=row["endpoint_name"],
        model=row["model"],
        process=_process(row["owner"]),
        age_s=_seconds(began, now),
        tokens=tokens,
        rate=tokens / writing_s if writing_s >= 1 else None,
        is_waiting=is_waiting,
        is_stopping=row["stop_requested_at"] is not None,
    )


def _seconds(since: datetime | None, now: datetime) -> float:
    """Never less than none, whatever the clocks say."""
    return max(0.0, (now - since).total_seconds()) if since else 0.0


def _process(owner: str) -> str:
    """Machine and number, without what keeps its later namesakes apart."""
    return owner.rpartition(":")[0]
