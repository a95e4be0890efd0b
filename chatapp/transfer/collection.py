"""Conversations of many people → one file, made while it is sent; its row tells how far it is."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from chatapp.database import write
from chatapp.generation import registry
from chatapp.generation.background import begin
from chatapp.models import Export
from chatapp.transfer import document, markdown, table
from chatapp.transfer.slices import Talk, conversations_with, encoded, in_slices

SAY_SO_S = 0.5
_LONGEST_REST_S = 0.1
_NOTED_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Format:
    """How a conversation is written, and what stands before the first one."""

    media_type: str
    pieces: Callable[[Talk], Iterator[str]]
    head: Callable[[], str] = str


async def sent(
    export: Export,
    ids: Sequence[UUID],
    note_some: Callable[[Sequence[UUID]], None],
    note_end: Callable[[Export], None],
) -> AsyncIterator[bytes]:
    """The file's bytes. `note_some` is called with some ids before anything of them is sent, and
    however it ends, its row is saved and `note_end(export)` called with what had been handed over
    by then. Both may write.

    While replies are being written here, it rests after each slice for as long as that took: their
    readers share the interpreter with it.
    """
    clock = asyncio.get_running_loop().time
    said_at = began = clock()
    made = Export(pk=export.pk)
    try:
        async for data in _noted(export.kind, ids, made, note_some):
            handed_over, took_s = (made.conversations, made.messages), clock() - began
            yield data
            export.conversations, export.messages = handed_over
            if clock() - said_at > SAY_SO_S:
                await write(export.save)
                said_at = clock()
            if registry.running():
                await asyncio.sleep(min(took_s, _LONGEST_REST_S))
            began = clock()
        export.conversations, export.messages = made.conversations, made.messages
        export.is_complete = True
    finally:
        begin(write(_end, export, note_end))


def _end(export: Export, note: Callable[[Export], None]) -> None:
    export.finished_at = timezone.now()
    with transaction.atomic():
        export.save()
        note(export)


async def _noted(
    kind: str, ids: Sequence[UUID], made: Export, note: Callable[[Sequence[UUID]], None]
) -> AsyncIterator[bytes]:
    if head := FORMATS[kind].head():
        yield head.encode()
    for start in range(0, len(ids), _NOTED_AT_ONCE):
        some = ids[start : start + _NOTED_AT_ONCE]
        await write(note, some)
        async for data in in_slices(_pieces(kind, some, made)):
            yield data


def _pieces(kind: str, ids: Sequence[UUID], made: Export) -> Iterator[bytes]:
    """A message at a time, counted in `made`."""
    form = FORMATS[kind]
    for conversation in conversations_with(ids):
        talk, before = Talk(conversation), made.messages
        for piece in encoded(form.pieces(talk)):
            made.messages = before + talk.given
            yield piece
        made.conversations += 1


def _line(talk: Talk) -> Iterator[str]:
    """Our document in one line: there are no line breaks within JSON's strings."""
    conversation = talk.conversation
    deleted_at = conversation.deleted_at.isoformat() if conversation.deleted_at else None
    about = {"person": conversation.owner.get_username(), "deleted_at": deleted_at}
    for piece in document.pieces(talk, about):
        yield piece.replace("\n", "")
    yield "\n"


def _chapter(talk: Talk) -> Iterator[str]:
    yield from markdown.pieces(talk, talk.conversation.owner.get_username())
    yield "\n---\n\n"


FORMATS = {
    "jsonl": Format("application/jsonl", _line),
    "csv": Format("text/csv; charset=utf-8", table.pieces, table.head),
    "md": Format("text/markdown; charset=utf-8", _chapter),
}
