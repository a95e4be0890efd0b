"""Conversations and their messages → a slice at a time, so that memory stays flat."""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from functools import cached_property
from itertools import islice
from typing import TypeVar
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import Model, Prefetch, QuerySet

from chatapp.database import read
from chatapp.locales import carried
from chatapp.models import Attachment, Conversation, Message
from chatapp.models.message import path_of

CONVERSATIONS = 50
MESSAGES = 50
PIECES = 16

M = TypeVar("M", bound=Model)

_ATTACHMENTS = Prefetch("attachments", Attachment.objects.defer("data"))


def conversations_of(user: User) -> Iterator[Conversation]:
    """All that the user has, the archive too, in no order that means anything."""
    kept = Conversation.objects.filter(owner=user, deleted_at=None).select_related("endpoint")
    found = list(kept.order_by("pk")[:CONVERSATIONS])
    while found:
        yield from found
        found = list(kept.filter(pk__gt=found[-1].pk).order_by("pk")[:CONVERSATIONS])


def conversations_with(ids: Sequence[UUID]) -> Iterator[Conversation]:
    """Anybody's, in the order of `ids`, deleted ones too."""
    return _by_ids(Conversation.objects.select_related("endpoint", "owner"), ids, CONVERSATIONS)


class Talk:
    """A conversation whose messages are read in batches; those of a short one only once.

    `given` counts the messages that were taken.
    """

    def __init__(self, conversation: Conversation) -> None:
        self.conversation = conversation
        self.given = 0

    def messages(self) -> Iterator[Message]:
        """All, in order of asking."""
        if self._few is not None:
            return self._counted(self._few)
        return self._read(list(self.conversation.messages.values_list("pk", flat=True)))

    def path(self) -> Iterator[Message]:
        """Those that are shown."""
        if self._few is not None:
            return self._counted(path_of(self._few))
        columns = ("conversation", "parent", "chosen_at", "asked_at")
        outline = list(self.conversation.messages.only(*columns))
        return self._read([message.pk for message in path_of(outline)])

    def _read(self, ids: Sequence[UUID]) -> Iterator[Message]:
        messages = Message.objects.prefetch_related(_ATTACHMENTS)
        return self._counted(_by_ids(messages, ids, MESSAGES))

    def _counted(self, messages: Iterable[Message]) -> Iterator[Message]:
        for message in messages:
            self.given += 1
            yield message

    def files(self) -> list[Attachment]:
        """The files of all messages, without their bytes."""
        return list(Attachment.objects.filter(message__conversation=self.conversation))

    @cached_property
    def _few(self) -> list[Message] | None:
        messages = self.conversation.messages.prefetch_related(_ATTACHMENTS)
        found = list(messages[: MESSAGES + 1])
        return found if len(found) <= MESSAGES else None


def in_slices(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Makes the pieces on reader threads, a few at a time, as fast as they are taken.

    Nobody takes them before the request is answered, and its language and zone are over.
    """
    return _taken(carried(_few), pieces)


def encoded(pieces: Iterable[str]) -> Iterator[bytes]:
    for piece in pieces:
        yield piece.encode()


def _by_ids(rows: QuerySet[M], ids: Sequence[UUID], at_once: int) -> Iterator[M]:
    """The rows in the order of `ids`; those that went meanwhile are passed over."""
    for start in range(0, len(ids), at_once):
        batch = ids[start : start + at_once]
        found = rows.in_bulk(batch)
        yield from (found[row_id] for row_id in batch if row_id in found)


async def _taken(
    few: Callable[[Iterator[bytes]], bytes | None], pieces: Iterator[bytes]
) -> AsyncIterator[bytes]:
    while (found := await read(few, pieces)) is not None:
        if found:
            yield found


def _few(pieces: Iterator[bytes]) -> bytes | None:
    found = list(islice(pieces, PIECES))
    return b"".join(found) if found else None
