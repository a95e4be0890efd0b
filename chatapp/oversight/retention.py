"""How long things are kept → steps that remove what is over, and leave what is held.

A conversation in which nothing happened for long enough is deleted as its person would delete it;
what anybody deleted is removed for good after a grace, and an account once nothing of its person's
is left. Each step is one short transaction, so that others get their turn, and two processes that
do this at once share the work. Everything here is synchronous.
"""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from chatapp.models import (
    Attachment,
    AuditEvent,
    Conversation,
    Departure,
    Hold,
    Import,
    Message,
    Queued,
    Share,
)
from chatapp.models.audit import Action
from chatapp.models.hold import is_held, is_person_held
from chatapp.models.message import LIVE
from chatapp.models.tree import with_what_follows

SYSTEM = "system"
# How many of them a step takes at most; a file can have 5 MiB.
CONVERSATIONS, MESSAGES, FILES, IMPORTS, ACCOUNTS = 100, 100, 10, 100, 10

# How many of what a step took: names of models, and `EXPIRED`.
Counts = Counter[str]
EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is older is over; without `expiry` no conversation is, until somebody deletes it."""

    expiry: datetime | None
    removal: datetime


def bounds() -> Bounds:
    """What the settings say, today."""
    now = timezone.now()
    expiry = now - timedelta(days=settings.RETENTION_DAYS) if settings.RETENTION_DAYS else None
    return Bounds(expiry, now - timedelta(days=settings.DELETED_GRACE_DAYS))


def steps(over: Bounds) -> Iterator[Counts]:
    """Takes a step each time it is asked for the next, until nothing is left to do."""
    for step in (_expire, _remove_conversations, _remove_files, _remove_imports, _remove_accounts):
        while took := step(over):
            yield took


def expected(over: Bounds) -> Counts:
    """What all steps together would take if they began now."""
    going = _removable(over)
    messages = Message.objects.filter(conversation__in=going)
    waiting = Queued.objects.filter(conversation__in=going)
    files = Attachment.objects.filter(Q(message__in=messages) | Q(queued__in=waiting))
    staying = Conversation.objects.filter(owner=OuterRef("pk")).exclude(pk__in=going)
    return +Counter(
        {
            EXPIRED: _expirable(over).count(),
            "Conversation": going.count(),
            "Message": messages.count(),
            "Attachment": files.count() + _unsent(over).count(),
            "Queued": waiting.count(),
            "Share": Share.objects.filter(conversation__in=going).count(),
            "Import": _imports(over).count(),
            "User": _departed(over).exclude(Exists(staying)).count(),
        }
    )


def held(over: Bounds) -> Counts:
    """What would go, but for a hold."""
    conversations = Conversation.objects.filter(_is_expired(over) | _is_deleted(over), is_held())
    people = User.objects.filter(is_person_held(), is_active=False, departure__at__lt=over.removal)
    return +Counter({"Conversation": conversations.count(), "User": people.count()})


def set_aside(message: Message) -> None:
    """Takes a message and what follows it out of a held conversation, instead of deleting them.

    They become a deleted conversation, held as theirs is, which their person does not see.
    """
    source = message.conversation
    aside = Conversation.objects.create(
        owner_id=source.owner_id,
        title=source.title,
        endpoint_id=source.endpoint_id,
        system_prompt=source.system_prompt,
        parameters=source.parameters,
        deleted_at=timezone.now(),
    )
    Message.objects.filter(pk__in=with_what_follows(message)).update(conversation=aside)
    Message.objects.filter(pk=message.pk).update(parent=None)
    for hold in Hold.objects.filter(conversation=source):
        hold.pk, hold.conversation = None, aside
        hold.save()


def _expire(over: Bounds) -> Counts:
    with transaction.atomic():
        expired = _taken(_expirable(over), CONVERSATIONS)
        now = timezone.now()
        Conversation.objects.filter(pk__in=expired).update(deleted_at=now, updated_at=now)
        _note("conversation", expired, expired=True)
    return +Counter({EXPIRED: len(expired)})


def _remove_conversations(over: Bounds) -> Counts:
    """What is heavy goes first: files, then messages, then the conversations that are empty."""
    with transaction.atomic():
        going = _taken(_removable(over), CONVERSATIONS)
        files = Attachment.objects.filter(message__conversation__in=going)
        if some := list(files.values_list("pk", flat=True)[:FILES]):
            return _delete(Attachment.objects.filter(pk__in=some))
        messages = Message.objects.filter(conversation__in=going)
        if some := list(messages.values_list("pk", flat=True)[:MESSAGES]):
            # Else Django would follow them down, however many they are.
            Message.objects.filter(parent__in=some).update(parent=None)
            return _delete(Message.objects.filter(pk__in=some).only("pk"))
        _note("conversation", going, for_good=True)
        return _delete(Conversation.objects.filter(pk__in=going).only("owner"))


def _remove_files(over: Bounds) -> Counts:
    return _delete(Attachment.objects.filter(pk__in=list(_unsent(over)[:FILES])))


def _remove_imports(over: Bounds) -> Counts:
    return _delete(Import.objects.filter(pk__in=list(_imports(over)[:IMPORTS])))


def _remove_accounts(over: Bounds) -> Counts:
    """Those of which nothing is held; who was made active again did not leave."""
    Departure.objects.filter(person__is_active=True).delete()
    with transaction.atomic():
        is_there_more = Exists(Conversation.objects.filter(owner=OuterRef("pk")))
        going = _taken(_departed(over).exclude(is_there_more), ACCOUNTS)
        _note("user", going, for_good=True)
        return _delete(User.objects.filter(pk__in=going))


def _is_expired(over: Bounds) -> Q:
    """By the time of the last change: an import, and being restored, count as well.

    What came after its person had left, such as the rest of an import, has no time at all.
    """
    is_late = Q(deleted_at=None, owner__departure__isnull=False, owner__is_active=False)
    if over.expiry is None:
        return is_late
    return is_late | Q(deleted_at=None, updated_at__lt=over.expiry)


def _is_deleted(over: Bounds) -> Q:
    return Q(deleted_at__lt=over.removal)


def _expirable(over: Bounds) -> QuerySet[Conversation]:
    return _free(_is_expired(over))


def _removable(over: Bounds) -> QuerySet[Conversation]:
    return _free(_is_deleted(over))


def _free(which: Q) -> QuerySet[Conversation]:
    live = Message.objects.filter(conversation=OuterRef("pk"), status__in=LIVE)
    return Conversation.objects.filter(which, ~is_held(), ~Exists(live)).order_by()


def _unsent(over: Bounds) -> QuerySet[Any, UUID]:
    """Of files that wait with a message it is that message which goes or stays."""
    unsent = Attachment.objects.filter(message=None, queued=None, created_at__lt=over.removal)
    return unsent.exclude(owner__in=_held_people()).order_by().values_list("pk", flat=True)


def _imports(over: Bounds) -> QuerySet[Any, UUID]:
    """Reports, which name conversations."""
    old = Import.objects.filter(updated_at__lt=over.removal)
    return old.exclude(owner__in=_held_people()).order_by().values_list("pk", flat=True)


def _departed(over: Bounds) -> QuerySet[User]:
    gone = User.objects.filter(departure__at__lt=over.removal, is_active=False)
    return gone.filter(~is_person_held()).order_by()


def _held_people() -> QuerySet[Any, int | None]:
    return Hold.objects.exclude(person=None).order_by().values_list("person", flat=True)


def _taken(things: QuerySet[Any], most: int) -> list[Any]:
    """Keys of some of them, locked; what another process holds locked is passed over."""
    locked = things.select_for_update(skip_locked=True, of=("self",))
    return [thing.pk for thing in locked.only("pk")[:most]]


def _delete(things: QuerySet[Any]) -> Counts:
    """With everything that hangs on them."""
    _total, by_label = things.delete()
    return +Counter({label.partition(".")[2]: count for label, count in by_label.items()})


def _note(kind: str, keys: Collection[Any], **detail: Any) -> None:
    """By their ids alone: what nobody may read any more leaves no name behind."""
    AuditEvent.objects.bulk_create(
        AuditEvent(
            actor_name=SYSTEM, action=Action.DELETE, kind=kind, object_id=str(key), detail=detail
        )
        for key in keys
    )
