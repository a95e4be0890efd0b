"""What a generation knows of its reply → the reply's row, fenced by owner and status.

Whoever makes a reply holds a lease on its row and renews it with every checkpoint. The lease runs
on the database's clock, the only one that all processes share.
"""

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import OperationalError, connection, transaction
from django.db.models import Q, QuerySet
from django.db.models.expressions import Combinable
from django.db.models.functions import Now
from django.utils import timezone

from chatapp.limits.counters import Reservation, settle, settle_aside
from chatapp.models import Conversation, Message, Status
from chatapp.models.message import LIVE, live_messages
from chatapp.models.search import index
from chatapp.text import tokens_in

LEASE_S = 15
SLOW_S = 2.0

# The columns of a reply that change while it is written.
_GROWING = (
    "status",
    "text",
    "reasoning",
    "refusal",
    "request_sent_at",
    "headers_at",
    "first_token_at",
    "last_token_at",
    "arrivals",
)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A reply at one moment: `fields` are columns of Message, `status` among them."""

    reply_id: UUID
    conversation_id: UUID
    fields: dict[str, Any]


def lease() -> Combinable:
    """When a lease that is taken now runs out."""
    return Now() + timedelta(seconds=LEASE_S)


def checkpoint(
    snapshots: Sequence[Snapshot], reply_ids: Collection[UUID], *, process: str
) -> set[UUID]:
    """Writes the snapshots and renews the leases of `reply_ids`; returns those that may go on.

    A row changes only while `process` owns it and it is live, so whoever ended it first wins. An
    id that is not returned was ended elsewhere, deleted, or has been asked to stop, or its person
    may not use this service any more.
    """
    with transaction.atomic():
        _write(snapshots, process)
        mine = _owned(process).filter(pk__in=reply_ids)
        mine.update(lease_until=lease())
        going_on = mine.filter(
            stop_requested_at=None,
            conversation__deleted_at=None,
            conversation__owner__is_active=True,
        )
        return set(going_on.values_list("pk", flat=True))


def finish(
    snapshot: Snapshot, reserved: Reservation, taken: int, *, process: str, is_seen: bool = False
) -> None:
    """Writes the last snapshot, unless somebody else ended the reply before, and settles what was
    reserved with the tokens that it has taken.

    `is_seen` says that its person reads along.
    """
    with transaction.atomic():
        if _owned(process).filter(pk=snapshot.reply_id).update(**snapshot.fields):
            touch([snapshot.conversation_id], is_seen=is_seen)
            _index_turn(snapshot)
            settle(reserved, taken)
        elif not Message.objects.filter(pk=snapshot.reply_id).exists():
            settle_aside(reserved, taken)  # else whoever ended it has settled it


def request_stop(reply_id: UUID) -> None:
    """Asks whichever process makes the reply to stop it."""
    Message.objects.filter(pk=reply_id, status__in=LIVE, stop_requested_at=None).update(
        stop_requested_at=timezone.now()
    )


def interrupt_abandoned(made_here: Collection[UUID]) -> set[UUID]:
    """Ends the replies whose owner let the lease run out; returns their conversations.

    Those in `made_here` are left alone: this process knows that their owner is alive. Raises
    OperationalError where the database took long to answer: leases ran out meanwhile that nobody
    could renew.
    """
    over = Q(lease_until=None) | Q(lease_until__lt=Now())
    ahead = Q(lease_until__gt=lease())
    asked_at = time.monotonic()
    live = live_messages().filter(over | ahead).exclude(pk__in=made_here)
    found = list(live.values_list("pk", flat=True))
    if (took_s := time.monotonic() - asked_at) > SLOW_S:
        raise OperationalError(f"it took {took_s:.0f} s to answer")
    if not found:
        return set()
    # Taken by a clock that was set back since. Whoever lives renews it, in time.
    live_messages().filter(ahead, pk__in=found).update(lease_until=lease())
    with transaction.atomic():
        replies = list(live_messages().filter(over, pk__in=found).select_for_update())
        conversations = {reply.conversation_id for reply in replies}
        ended = Message.objects.filter(pk__in=[reply.pk for reply in replies])
        ended.update(status=Status.INTERRUPTED, finished_at=timezone.now())
        touch(conversations)
        prompts = Message.objects.filter(children__in=replies).values_list("pk", "text")
        index(dict(prompts) | {reply.pk: reply.text for reply in replies})
        _settle_abandoned(replies)
    return conversations


def _settle_abandoned(replies: Sequence[Message]) -> None:
    """By what stands in the rows: nobody heard the end of it."""
    owners = dict(
        Conversation.objects.filter(messages__in=replies).values_list("pk", "owner_id").distinct()
    )
    # In order of people, so that two processes never wait for each other.
    for reply in sorted(replies, key=lambda reply: owners[reply.conversation_id]):
        reserved = Reservation(
            owners[reply.conversation_id], reply.prompt_estimate, reply.reserved_tokens
        )
        before = reply.seams[-1] if reply.seams else 0
        written = reply.text[before:] + ("" if before else reply.reasoning + reply.refusal)
        settle(reserved, reply.prompt_estimate + tokens_in(written) if reply.headers_at else 0)


def _index_turn(snapshot: Snapshot) -> None:
    """The prompt too: nobody waits here, as everybody would who asks."""
    prompt = Message.objects.filter(children=snapshot.reply_id).values_list("pk", "text")
    index({**dict(prompt), snapshot.reply_id: snapshot.fields["text"]})


def _write(snapshots: Sequence[Snapshot], process: str) -> None:
    """One statement for all: a query set's update would cost ten times as much a row."""
    meta = Message._meta
    columns = [column for column in meta.concrete_fields if column.name in _GROWING]
    assignments = ", ".join(f"{column.column} = %s" for column in columns)
    with connection.cursor() as cursor:
        cursor.executemany(
            f"UPDATE {meta.db_table} SET {assignments}"
            " WHERE id = %s AND owner = %s AND status IN (%s, %s)",
            [
                [
                    *(c.get_db_prep_save(s.fields.get(c.name), connection) for c in columns),
                    meta.pk.get_db_prep_save(s.reply_id, connection),
                    process,
                    *LIVE,
                ]
                for s in snapshots
            ],
        )


def _owned(process: str) -> QuerySet[Message]:
    return Message.objects.filter(owner=process, status__in=LIVE)


def touch(conversation_ids: Collection[UUID], *, is_seen: bool = False) -> None:
    """Something was answered: other processes see it by the time, and the list by the order."""
    now = timezone.now()
    seen = {"seen_at": now} if is_seen else {}
    Conversation.objects.filter(pk__in=conversation_ids).update(
        updated_at=now, active_at=now, answered_at=now, **seen
    )
