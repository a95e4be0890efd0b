"""Messages that wait for a reply to end → the next one sent, as its person would have sent it.

The first one waits for a complete reply to the prompt `after`, or if it is urgent for any end of
it. Whoever looks may send it: the process that made the reply does so at once, the upkeep of any
process what was missed. Its row goes in the transaction that stores the message, so it is sent
once. Everything here is synchronous.

Rows of the queue are always locked before their conversation, never after.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, Manager, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from chatapp.errors import InvalidInput
from chatapp.generation.calls import Call, target_for
from chatapp.generation.files import claim, unsent
from chatapp.generation.rows import request_stop
from chatapp.generation.turns import Sending, StillAnswering, ask, check_text
from chatapp.limits.refusals import LimitReached, Refusal, restored, stored
from chatapp.models import (
    Attachment,
    Conversation,
    Endpoint,
    Message,
    Queued,
    Role,
    Status,
    conversation_for,
    endpoint_for,
)
from chatapp.models.clock import now_after
from chatapp.models.conversation import mark_changed
from chatapp.models.locks import lock
from chatapp.models.message import CUT_SHORT, LIVE, path_of
from chatapp.models.queued import has_queued
from chatapp.models.tree import tree_of

M = TypeVar("M", Message, Queued)

MOST = 10
ENDED = {Status.COMPLETE, *CUT_SHORT}
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


@dataclass(frozen=True, slots=True)
class Returned:
    """What was taken back: a text for the box, and files that wait for a message again."""

    text: str
    files: Sequence[Attachment]


class _Waited(Sending):
    """A message out of the queue: what it carries is its final key."""

    @property
    def key(self) -> UUID:
        return self.form_key


def queue_of(conversation_id: UUID, path: Sequence[Message]) -> Queue:
    """The conversation's queue; `path` is what the page shows of its messages."""
    with_files = _waiting(conversation_id).prefetch_related("attachments")
    waiting = list(with_files) if has_queued(conversation_id) else []
    is_held = bool(waiting) and not _may_follow(waiting[0], path, {Status.COMPLETE, *LIVE})
    # What has met a limit and then another reply waits for its person, and not for the limit.
    is_limits = bool(waiting) and (waiting[0].after_id is None or not is_held)
    refusal = restored(waiting[0].refusal) if is_limits else None
    is_answering = any(message.is_live for message in path)
    return Queue(conversation_id, waiting, is_held, is_answering, refusal)


def enqueue(user: User, sending: Sending, *, is_urgent: bool = False) -> list[UUID]:
    """Puts the message at the end of its conversation's queue, or before the others if it is
    urgent: then the replies that run are asked to stop, and their ids returned. A repeat changes
    nothing but that what waits may become urgent.

    Raises InvalidInput with the sentence for the person, Conversation.DoesNotExist for someone
    else's conversation.
    """
    check_text(sending.text, has_files=bool(sending.attachments))
    with transaction.atomic():
        conversation_for(user, sending.conversation_id)
        hurried = is_urgent and _same(Queued, sending).update(is_urgent=True)
        if is_urgent:  # whoever ends a reply locks it before its conversation
            lock(Message.objects.filter(conversation=sending.conversation_id, status__in=LIVE))
        # One after the other, so that a repeat is seen and nothing comes in beyond the most.
        one = Conversation.objects.select_for_update(no_key=True).get(pk=sending.conversation_id)
        if _same(Message, sending).exists():
            return []
        if hurried:
            _same(Queued, sending).update(after=_last_prompt(one))
        elif _same(Queued, sending).exists():
            return []
        else:
            _add(user, one, sending, is_urgent=is_urgent)
        mark_changed(one.pk)
        return _ask_to_stop(one) if is_urgent else []


def is_taken(user: User, sending: Sending) -> bool:
    """Whether the message is stored, or waits to be sent."""
    conversation_for(user, sending.conversation_id)
    return _same(Message, sending).exists() or _same(Queued, sending).exists()


def look_at(user: User, conversation_id: UUID, queued_id: UUID) -> Returned:
    """What `take_back` would return. Raises InvalidInput if it went."""
    conversation_for(user, conversation_id)
    queued = _waiting(conversation_id).filter(pk=queued_id).first()
    if queued is None:
        raise _gone()
    return Returned(queued.text, list(queued.attachments.all()))


def take_back(user: User, conversation_id: UUID, queued_id: UUID) -> Returned:
    """Takes a message out of the queue. Raises InvalidInput if it went."""
    conversation_for(user, conversation_id)
    with transaction.atomic():
        queued = _waiting(conversation_id).filter(pk=queued_id).first()
        files = _take(queued) if queued else None
        if queued is None or files is None:
            raise _gone()
        mark_changed(conversation_id)
    return Returned(queued.text, files)


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
    path = path_of(tree_of(conversation_id))
    if not _may_follow(first, path, {Status.COMPLETE}):
        return None
    try:
        return _send(first.conversation.owner, first, process)
    except LimitReached as reached:
        _keep_back(first, reached.refusal)
    except (StillAnswering, Conversation.DoesNotExist):
        pass  # deleted in this moment, or its person may not use this service any more
    except InvalidInput:
        _let_follow(first, None)
    return None


def is_ready(conversation_id: UUID) -> bool:
    """Whether something waits there and may well go: a look without the messages."""
    return has_queued(conversation_id) and _ready().filter(conversation=conversation_id).exists()


def ready_conversations() -> set[UUID]:
    """Where something waits and may well go."""
    return set(_ready().values_list("conversation", flat=True))


def _gone() -> InvalidInput:
    return InvalidInput(_("That message waits no more: it was sent, or taken back elsewhere."))


def _waiting(conversation_id: UUID) -> QuerySet[Queued]:
    """In order. What was sent by another way with the same key waits no more."""
    return Queued.objects.filter(~_SENT, conversation=conversation_id)


def _ready() -> QuerySet[Queued]:
    return Queued.objects.filter(
        ~_SENT,
        ~_ANSWERING,
        Q(is_urgent=True) | Q(after__children__status=Status.COMPLETE),
        conversation__deleted_at=None,
        conversation__owner__is_active=True,
    )


def _may_follow(first: Queued, path: Sequence[Message], statuses: set[Status]) -> bool:
    """Whether `path` ends in a reply to the prompt that `first` waits for, with one of `statuses`
    unless it is urgent; after nothing, only what is urgent may go."""
    if not path:
        return first.is_urgent
    may_be = statuses | ENDED if first.is_urgent else statuses
    return (
        path[-1].role == Role.ASSISTANT
        and path[-1].parent_id == first.after_id
        and path[-1].status in may_be
    )


def _add(user: User, one: Conversation, sending: Sending, *, is_urgent: bool) -> None:
    waiting = list(_waiting(one.pk))
    if len(waiting) >= MOST + is_urgent:
        raise InvalidInput(
            _("%d messages wait already, which is the most. Take one back first.") % MOST
        )
    endpoint = _picked(user, sending.endpoint_id)
    files = unsent(user, sending.attachments, endpoint or one.endpoint)
    queued = Queued.objects.create(
        conversation=one,
        key=sending.key,
        text=sending.text,
        endpoint=endpoint,
        after_id=_last_prompt(one),
        is_urgent=is_urgent,
        asked_at=now_after(queued.asked_at for queued in waiting),
    )
    claim(files, queued)


def _same(model: type[M], sending: Sending) -> QuerySet[M]:
    """The same message, sent or queued before."""
    manager: Manager[M] = model._default_manager
    return manager.filter(conversation=sending.conversation_id, key=sending.key)


def _picked(user: User, endpoint_id: int | None) -> Endpoint | None:
    """The endpoint that was picked, which must be one that can be called."""
    if endpoint_id is None:
        return None
    endpoint = endpoint_for(user, endpoint_id)
    target_for(endpoint)
    return endpoint


def _last_prompt(conversation: Conversation) -> UUID | None:
    """The prompt of the reply that runs, else of the last one that is shown."""
    live = conversation.messages.filter(status__in=LIVE).first()
    if live is not None:
        return live.parent_id
    path = path_of(tree_of(conversation.pk))
    return path[-1].parent_id if path else None


def _send(user: User, first: Queued, process: str) -> Call | None:
    """Stores the message with its queued reply, and lets the rest of the queue follow that.

    After one that was urgent the rest is held: it had its place after the reply that was stopped.
    """
    with transaction.atomic():
        lock(Queued.objects.filter(conversation=first.conversation_id))
        files = _take(first)
        if files is None:
            return None
        ids = tuple(file.pk for file in files)
        sending = _Waited(first.conversation_id, first.text, first.key, first.endpoint_id, ids)
        call = ask(user, sending, process=process)
        if not first.is_urgent:
            prompt = Message.objects.get(conversation=first.conversation_id, key=first.key)
            Queued.objects.filter(conversation=first.conversation_id).update(after=prompt)
        return call


def _take(queued: Queued) -> list[Attachment] | None:
    """Deletes the row; returns its files, which are free again, or None if somebody was quicker."""
    files = list(queued.attachments.all())
    queued.attachments.update(queued=None)
    return files if Queued.objects.filter(pk=queued.pk).delete()[0] else None


def _ask_to_stop(conversation: Conversation) -> list[UUID]:
    """In the rows, so that nothing that happens to this process keeps the replies running."""
    live = list(conversation.messages.filter(status__in=LIVE).values_list("pk", flat=True))
    for reply_id in live:
        request_stop(reply_id)
    return live


def _let_follow(
    first: Queued, prompt_id: UUID | None, refusal: Any = None, *, is_urgent: bool = False
) -> None:
    with transaction.atomic():
        Queued.objects.filter(pk=first.pk).update(
            after=prompt_id, is_urgent=is_urgent, refusal=refusal
        )
        mark_changed(first.conversation_id)


def _keep_back(first: Queued, refusal: Refusal) -> None:
    """It goes by itself when the limit is soon over, else when its person says so."""
    why = stored(refusal)
    if why != first.refusal:
        after_id = first.after_id if refusal.is_brief else None
        _let_follow(first, after_id, why, is_urgent=first.is_urgent and refusal.is_brief)
