"""Messages that wait for a reply to end → the next one sent, as its person would have sent it.

The first one waits for a complete reply to the prompt `after`. Whoever looks may send it: the
process that made the reply does so at once, the upkeep of any process what was missed. Its row goes
in the transaction that stores the message, so it is sent once. Everything here is synchronous.

Rows of the queue are always locked before their conversation, never after.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _

from chatapp.errors import InvalidInput
from chatapp.generation.calls import Call, target_for
from chatapp.generation.turns import STILL_ANSWERING, Sending, ask, check_text
from chatapp.limits.refusals import LimitReached, Refusal, restored, stored
from chatapp.models import (
    Conversation,
    Endpoint,
    Message,
    Queued,
    Role,
    Status,
    conversation_for,
)
from chatapp.models.conversation import mark_changed
from chatapp.models.message import LIVE, path_of
from chatapp.models.queued import has_queued

MOST = 10
_SENT = Exists(Message.objects.filter(conversation=OuterRef("conversation"), key=OuterRef("key")))

_ANSWERING = Exists(Message.objects.filter(conversation=OuterRef("conversation"), status__in=LIVE))


@dataclass(frozen=True, slots=True)
class Queue:
    """What waits in a conversation, in order. A held queue goes on when its person says so.

    `refusal` is the limit that keeps the first message back.
    """

    conversation_id: UUID
    waiting: Sequence[Queued] = ()
    is_held: bool = False
    is_answering: bool = False
    refusal: Refusal | None = None


class _Waited(Sending):
    """A message out of the queue: what it carries is its final key."""

    @property
    def key(self) -> UUID:
        return self.form_key


def queue_of(conversation_id: UUID, path: Sequence[Message]) -> Queue:
    """The conversation's queue; `path` is what the page shows of its messages."""
    waiting = list(_waiting(conversation_id)) if has_queued(conversation_id) else []
    is_held = bool(waiting) and not _may_follow(waiting[0], path, {Status.COMPLETE, *LIVE})
    # What has met a limit and then another reply waits for its person, and not for the limit.
    is_limits = bool(waiting) and (waiting[0].after_id is None or not is_held)
    refusal = restored(waiting[0].refusal) if is_limits else None
    is_answering = any(message.is_live for message in path)
    return Queue(conversation_id, waiting, is_held, is_answering, refusal)


def enqueue(user: User, sending: Sending) -> None:
    """Puts the message at the end of its conversation's queue; a repeat changes nothing.

    Raises InvalidInput with the sentence for the person, Conversation.DoesNotExist for someone
    else's conversation.
    """
    check_text(sending.text)
    with transaction.atomic():
        conversation_for(user, sending.conversation_id)
        # One after the other, so that a repeat is seen and nothing comes in beyond the most.
        one = Conversation.objects.select_for_update(no_key=True).get(pk=sending.conversation_id)
        if _is_known(sending):
            return
        if _waiting(one.pk).count() >= MOST:
            raise InvalidInput(
                _("%d messages wait already, which is the most. Take one back first.") % MOST
            )
        Queued.objects.create(
            conversation=one,
            key=sending.key,
            text=sending.text,
            endpoint=_picked(sending.endpoint_id),
            after_id=_last_prompt(one),
        )
        mark_changed(one.pk)


def take_back(user: User, conversation_id: UUID, queued_id: UUID) -> str:
    """Takes a message out of the queue; returns its text. Raises InvalidInput if it went."""
    conversation_for(user, conversation_id)
    with transaction.atomic():
        queued = _waiting(conversation_id).filter(pk=queued_id).first()
        if queued is None or not _take(queued):
            raise InvalidInput(
                _("That message waits no more: it was sent, or taken back elsewhere.")
            )
        mark_changed(conversation_id)
    return queued.text


def send_now(user: User, conversation_id: UUID, queued_id: UUID, *, process: str) -> Call | None:
    """Sends the first message that waits, or has it follow the reply that runs.

    None for a repeat. Raises as `ask` does.
    """
    conversation_for(user, conversation_id)
    first = _waiting(conversation_id).first()
    if first is None or first.pk != queued_id:
        return None
    live = Message.objects.filter(conversation=conversation_id, status__in=LIVE).first()
    if live is None:
        return _send(user, first, process)
    _let_follow(first, live.parent_id)
    return None


def send_next(conversation_id: UUID, *, process: str) -> Call | None:
    """Sends the first message that waits, if it may go.

    None if it may not, or another process was quicker. An endpoint that can't be called holds the
    queue, and its person learns why when they send. So does a limit that lasts; one that is over
    in a moment is waited for.
    """
    first = _waiting(conversation_id).select_related("conversation__owner").first()
    if first is None or not is_ready(conversation_id):
        return None
    path = path_of(list(first.conversation.messages.all()))
    if not _may_follow(first, path, {Status.COMPLETE}):
        return None
    try:
        return _send(first.conversation.owner, first, process)
    except LimitReached as reached:
        _keep_back(first, reached.refusal)
    except InvalidInput as error:
        if str(error) != STILL_ANSWERING:
            _let_follow(first, None)
    except Conversation.DoesNotExist:
        pass  # deleted in this moment, or its person may not use this service any more
    return None


def is_ready(conversation_id: UUID) -> bool:
    """Whether something waits there and may well go: a look without the messages."""
    return has_queued(conversation_id) and _ready().filter(conversation=conversation_id).exists()


def ready_conversations() -> set[UUID]:
    """Where something waits and may well go."""
    return set(_ready().values_list("conversation", flat=True))


def _waiting(conversation_id: UUID) -> QuerySet[Queued]:
    """In order. What was sent by another way with the same key waits no more."""
    return Queued.objects.filter(~_SENT, conversation=conversation_id)


def _ready() -> QuerySet[Queued]:
    return Queued.objects.filter(
        ~_SENT,
        ~_ANSWERING,
        after__children__status=Status.COMPLETE,
        conversation__deleted_at=None,
        conversation__owner__is_active=True,
    )


def _may_follow(first: Queued, path: Sequence[Message], statuses: set[Status]) -> bool:
    """Whether `path` ends in a reply to the prompt that `first` waits for."""
    return (
        bool(path)
        and path[-1].role == Role.ASSISTANT
        and path[-1].parent_id == first.after_id
        and path[-1].status in statuses
    )


def _is_known(sending: Sending) -> bool:
    same = {"conversation": sending.conversation_id, "key": sending.key}
    return Queued.objects.filter(**same).exists() or Message.objects.filter(**same).exists()


def _picked(endpoint_id: int | None) -> Endpoint | None:
    """The endpoint that was picked, which must be one that can be called."""
    if endpoint_id is None:
        return None
    endpoint = Endpoint.objects.filter(pk=endpoint_id).first()
    target_for(endpoint)
    return endpoint


def _last_prompt(conversation: Conversation) -> UUID | None:
    """The prompt of the reply that runs, else of the last one that is shown."""
    live = conversation.messages.filter(status__in=LIVE).first()
    if live is not None:
        return live.parent_id
    path = path_of(list(conversation.messages.all()))
    return path[-1].parent_id if path else None


def _send(user: User, first: Queued, process: str) -> Call | None:
    """Stores the message with its queued reply, and lets the rest of the queue follow that."""
    sending = _Waited(first.conversation_id, first.text, first.key, first.endpoint_id)
    with transaction.atomic():
        if not _take(first):
            return None
        call = ask(user, sending, process=process)
        prompt = Message.objects.get(conversation=first.conversation_id, key=first.key)
        Queued.objects.filter(conversation=first.conversation_id).update(after=prompt)
        return call


def _take(queued: Queued) -> bool:
    """Deletes the row; whether nobody did so before."""
    return bool(Queued.objects.filter(pk=queued.pk).delete()[0])


def _let_follow(first: Queued, prompt_id: UUID | None, refusal: Any = None) -> None:
    with transaction.atomic():
        Queued.objects.filter(pk=first.pk).update(after=prompt_id, refusal=refusal)
        mark_changed(first.conversation_id)


def _keep_back(first: Queued, refusal: Refusal) -> None:
    """It goes by itself when the limit is soon over, else when its person says so."""
    why = stored(refusal)
    if why != first.refusal:
        _let_follow(first, first.after_id if refusal.is_brief else None, why)
