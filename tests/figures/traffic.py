"""Replies as they would stand in the database after some hours of traffic."""

import random
from datetime import datetime, timedelta

from django.contrib.auth.models import User

from chatapp.models import Conversation, Message

_STATUSES = ["complete"] * 7 + ["stopped", "error", "incomplete", "interrupted"]
_KINDS = ["rate_limit", "timeout", "server"]


def reply(
    conversation: Conversation,
    sent_at: datetime,
    first_ms: float | None = 400,
    writing_ms: float = 2000,
    **columns: object,
) -> Message:
    """A reply that began at `sent_at`, not stored yet."""
    first_at = None if first_ms is None else sent_at + timedelta(milliseconds=first_ms)
    last_at = first_at and first_at + timedelta(milliseconds=writing_ms)
    known = {
        "role": "assistant",
        "status": "complete",
        "owner": "here:1:abcd",
        "endpoint_name": "fast",
        "asked_at": sent_at,
        "request_sent_at": sent_at,
        "first_token_at": first_at,
        "last_token_at": last_at,
        "finished_at": last_at or sent_at + timedelta(seconds=1),
        "input_tokens": 30,
        "output_tokens": 101 if first_at else None,
    }
    return Message(conversation=conversation, **known | columns)


def some_traffic(people: list[User], since: datetime, until: datetime, count: int) -> list[Message]:
    """Stores `count` replies of two endpoints, of every kind, at any time in between."""
    chance = random.Random(1)
    talks = [Conversation.objects.create(owner=person) for person in people]
    times = [since + chance.random() * (until - since) for _ in range(count)]
    return Message.objects.bulk_create([_any(chance, talks, at) for at in times], batch_size=500)


def _any(chance: random.Random, talks: list[Conversation], at: datetime) -> Message:
    status = chance.choice(_STATUSES)
    is_failed = status in ("error", "incomplete")
    has_text = status != "error"
    waits_ms = chance.uniform(80, 1500) if chance.random() < 0.9 else chance.uniform(5e3, 2e4)
    return reply(
        chance.choice(talks),
        at,
        waits_ms if has_text else None,
        chance.uniform(0, 9000),
        status=status,
        error_kind=chance.choice(_KINDS) if is_failed else "",
        endpoint_name=chance.choice(["fast", "slow", "slow"]),
        output_tokens=chance.choice([None, 2, 150, 900]) if has_text else None,
    )
