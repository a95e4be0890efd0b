"""A conversation's rows → its tree; texts come along only where somebody needs them.

Opening a conversation of a thousand messages reads a few dozen texts: the newest, which nearly
always are all that is shown. Everything here is synchronous.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from uuid import UUID

from django.db.models import Q, QuerySet, prefetch_related_objects
from django.db.models.base import ModelState

from chatapp.models.keys import db_key
from chatapp.models.message import Message

# What the path, and a look at whether an article changed, depend on: read of every message.
TREE = (
    "id",
    "conversation_id",
    "parent_id",
    "role",
    "status",
    "asked_at",
    "chosen_at",
    "rating",
    "rating_reason",
    "seams",
    "file_count",
)
WHOLE = 40
# Written out, as in `conversation_for`.
_NEWEST = f"""
    SELECT * FROM {Message._meta.db_table} WHERE conversation_id = %s
    ORDER BY asked_at DESC, id DESC LIMIT {WHOLE}
"""


def tree_of(conversation_id: UUID) -> list[Message]:
    """All messages in order of asking: the newest whole, of older ones only what `TREE` names.

    A conversation of up to `WHOLE` messages costs one query, a longer one two.
    """
    newest = list(Message.objects.raw(_NEWEST, [db_key(conversation_id)]))[::-1]
    if len(newest) < WHOLE:
        return newest
    first = newest[0]
    is_older = Q(asked_at__lt=first.asked_at) | Q(asked_at=first.asked_at, pk__lt=first.pk)
    older = Message.objects.filter(is_older, conversation=conversation_id)
    return [*_light(older, TREE), *newest]


def texts_of(messages: QuerySet[Message]) -> list[Message]:
    """All of them in order of asking, with what a prompt is made of, and their keys."""
    return list(_light(messages, (*TREE, "key", "text")))


def complete(messages: Iterable[Message]) -> None:
    """Reads what articles need of those that `tree_of` left incomplete, and their files."""
    messages = list(messages)
    incomplete = {message.pk: message for message in messages if message.get_deferred_fields()}
    if incomplete:
        for row in Message.objects.filter(pk__in=incomplete):
            vars(incomplete[row.pk]).update(vars(row))
    prefetch_related_objects([message for message in messages if message.file_count], "attachments")


def with_what_follows(message: Message) -> list[UUID]:
    """The ids of the message and of all below it, every branch, parents first."""
    children: defaultdict[UUID | None, list[UUID]] = defaultdict(list)
    messages = Message.objects.filter(conversation=message.conversation_id)
    for message_id, parent_id in messages.values_list("pk", "parent_id"):
        children[parent_id].append(message_id)
    found = [message.pk]
    for message_id in found:  # which grows
        found += children[message_id]
    return found


def _light(messages: QuerySet[Message], columns: tuple[str, ...]) -> Iterator[Message]:
    """What `only()` gives, at a third of its cost: it looks at every column of every row."""
    for values in messages.values_list(*columns):
        message = Message.__new__(Message)
        message._state = ModelState()
        message._state.adding, message._state.db = False, messages.db
        vars(message).update(zip(columns, values, strict=True))
        yield message
