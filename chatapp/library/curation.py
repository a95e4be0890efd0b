"""What a person does with what was said: go back to a version, rate, remove, take it elsewhere.

Everything here is synchronous. Every change is one transaction, moves its conversation's
`updated_at` and returns the conversation's id.
"""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from chatapp.errors import InvalidInput
from chatapp.locales import counted
from chatapp.models import Conversation, Message, Queued, Role, message_for
from chatapp.models.attachment import copy_files
from chatapp.models.conversation import mark_changed
from chatapp.models.hold import is_held
from chatapp.models.locks import lock
from chatapp.models.message import LIVE, MAKING, chain_to, chosen_now
from chatapp.models.search import index
from chatapp.models.tree import with_what_follows
from chatapp.oversight.retention import set_aside

MAX_REASON_CHARS = 1000
RATINGS = {"like": 1, "dislike": -1, "unrate": None}

_COPIED = ("role", "endpoint_id", *MAKING)


def choose(user: User, message_id: UUID) -> UUID:
    """Shows the way to this version of its turn, and below it what was chosen there last."""
    message = message_for(user, message_id)
    messages = list(message.conversation.messages.only("pk", "parent_id", "chosen_at"))
    with transaction.atomic():
        way = Message.objects.filter(pk__in=chain_to(messages, message_id))
        way.update(chosen_at=chosen_now(messages))
        mark_changed(message.conversation_id)
    return message.conversation_id


def rate(user: User, message_id: UUID, rating: int | None, reason: str = "") -> UUID:
    """Keeps what the person thinks of a reply: 1, -1 or None, and why."""
    message = message_for(user, message_id)
    if message.role != Role.ASSISTANT:
        raise InvalidInput(_("Only replies can be rated."))
    if len(reason) > MAX_REASON_CHARS:
        raise InvalidInput(
            _("A reason can have %s characters; shorten it.") % counted(MAX_REASON_CHARS)
        )
    return _change(message, rating=rating, rating_reason=reason if rating else "")


def remove(user: User, message_id: UUID) -> UUID:
    """Deletes a turn, the prompt with its replies, and all that follows it.

    Of several replies to a prompt only the given one goes. What is held is kept out of sight.
    """
    message = message_for(user, message_id)
    has_others = Message.objects.filter(parent=message.parent_id).count() > 1
    if message.role == Role.ASSISTANT and message.parent and not has_others:
        message = message.parent
    with transaction.atomic():
        if Conversation.objects.filter(is_held(), pk=message.conversation_id).exists():
            set_aside(message)
        else:
            going = Message.objects.filter(pk__in=with_what_follows(message))
            lock(Queued.objects.filter(conversation=message.conversation_id))
            # Whoever ends one of them has locked it, and is about to write of its prompt.
            lock(going.filter(status__in=LIVE))
            # All at once: from one to the next Django would go down by recursion.
            going.delete()
        mark_changed(message.conversation_id)
    return message.conversation_id


def fork(user: User, message_id: UUID) -> Conversation:
    """A new conversation with copies of everything from the beginning to this message."""
    message = message_for(user, message_id)
    if message.is_live:
        raise InvalidInput(_("This reply is still being written. Wait for it or stop it first."))
    old = message.conversation
    messages = {m.pk: m for m in old.messages.all()}
    new = Conversation(
        owner=user,
        title=old.title,
        endpoint=old.endpoint,
        system_prompt=old.system_prompt,
        parameters=old.parameters,
    )
    chain = chain_to(list(messages.values()), message_id)
    return filled(new, [messages[original_id] for original_id in chain])


def filled(new: Conversation, path: Sequence[Message]) -> Conversation:
    """Stores the new conversation with copies of the messages, each a reply to the one before."""
    copies: list[Message] = []
    for original in path:
        values = {name: getattr(original, name) for name in _COPIED}
        parent = copies[-1] if copies else None
        asked_at = original.asked_at
        if parent is not None:  # it is their order
            asked_at = max(asked_at, parent.asked_at + timedelta(microseconds=1))
        copies.append(Message(conversation=new, parent=parent, asked_at=asked_at, **values))
    with transaction.atomic():
        new.save()
        Message.objects.bulk_create(copies)
        index({copy.pk: copy.text for copy in copies})
        for original, copy in zip(path, copies, strict=True):
            copy_files(original, copy)
    return new


def _change(message: Message, **fields: object) -> UUID:
    with transaction.atomic():
        Message.objects.filter(pk=message.pk).update(**fields)
        mark_changed(message.conversation_id)
    return message.conversation_id
