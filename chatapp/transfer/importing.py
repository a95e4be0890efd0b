"""A file in → conversations in the database, and a report that tells how far it is.

A conversation is there whole or not at all: it is written a slice at a time, so that other writers
get their turn, into a row that nobody sees until it is complete. What a file had before a break in
it stays. An import ends with its process; doing it again repeats nothing.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import IO, Any, TypeVar
from uuid import UUID

from django.contrib.auth.models import User
from django.db import IntegrityError, InterfaceError, OperationalError, transaction
from django.db.models import ProtectedError, Q
from django.utils import timezone
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from chatapp.composing.attachments import checked
from chatapp.database import write
from chatapp.errors import InvalidInput
from chatapp.forms import clean_text
from chatapp.generation import background, bus
from chatapp.locales import carried
from chatapp.models import Attachment, Conversation, Endpoint, Import, Message, endpoints_for
from chatapp.models.attachment import MAX_IMAGE_BYTES
from chatapp.models.conversation import title_from
from chatapp.models.search import index
from chatapp.transfer import chatgpt, document
from chatapp.transfer.draft import Beside, Draft, File
from chatapp.transfer.names import safe
from chatapp.transfer.reading import Found, Reader, Unreadable

logger = logging.getLogger(__name__)

MOST_BYTES = 200 * 1024**2
MESSAGES_A_SLICE = 100
MOST_NAMED = 200
SAY_SO_S = 0.5
PAUSE_S, PATIENCE_S = 1.0, 60.0

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Item:
    """One conversation of a file: a draft, or why there is none."""

    title: str
    draft: Draft | None = None
    why: str = ""


async def begin(user: User, file: IO[bytes], name: str, size: int) -> Import:
    """Starts to take in the file, which is closed in the end; the import tells how far it is.

    Raises InvalidInput if another one of the user's still goes on.
    """
    try:
        report = await write(_begun, user, safe(name)[:120], size)
    except BaseException:
        file.close()
        raise
    background.begin(_run(user, report, file, get_language()))
    return report


async def _run(user: User, report: Import, file: IO[bytes], language: str | None) -> None:
    with file, override(language):
        try:
            await _take_in(user, report, Reader(file, report.size))
        except Exception:
            logger.exception("import %s broke", report.pk)
            report.trouble = _("The server made a mistake and has written it down.")
    report.finished_at = timezone.now()
    await _patiently(write, report.save)


async def _take_in(user: User, report: Import, reader: Reader) -> None:
    items = _items(reader)
    clock = asyncio.get_running_loop().time
    said_at = clock()
    try:
        while (item := await asyncio.to_thread(carried(next), items, None)) is not None:
            _note(report, *await _outcome(user, item))
            if clock() - said_at > SAY_SO_S:
                report.position, said_at = reader.position, clock()
                await _patiently(write, report.save)
    except Unreadable as error:
        report.trouble = str(error)
    report.position = reader.position


async def _outcome(user: User, item: Item) -> tuple[str, Item]:
    if item.draft is None:
        return "skipped", item
    try:
        is_new = await _patiently(_store_anew, user, item.draft)
    except InvalidInput as error:
        return "skipped", Item(item.title, why=str(error))
    if not is_new:
        return "present", item
    bus.announce(item.draft.conversation.pk)
    return "imported", item


async def _patiently(work: Callable[..., Awaitable[T]], *args: Any) -> T:
    """`work(*args)`, and again while the database is away, as long as that is begun in time."""
    clock = asyncio.get_running_loop().time
    late_at = clock() + PATIENCE_S
    while True:
        try:
            return await work(*args)
        except (OperationalError, InterfaceError) as error:
            if clock() > late_at:
                raise
            logger.warning("an import waits for the database: %s", error)
            await asyncio.sleep(PAUSE_S)


async def _store_anew(user: User, draft: Draft) -> bool:
    """`store`, without the half that an attempt before may have left where nobody sees it."""
    hidden = Conversation.objects.filter(pk=draft.conversation.pk, owner=user, source="")
    if await write(hidden.exclude(deleted_at=None).exists):
        await write(_discard, draft.conversation.pk)
    return await store(user, draft)


async def store(user: User, draft: Draft) -> bool:
    """Makes the draft a conversation of the user's; False if they have it already.

    Raises InvalidInput if one of its files is none that can be sent; then nothing stays.
    """
    if not await write(_hide, user, draft):
        return False
    try:
        for start in range(0, len(draft.messages), MESSAGES_A_SLICE):
            part = draft.messages[start : start + MESSAGES_A_SLICE]
            await write(_add, draft.conversation, part)
            for message in part:
                for file in draft.files.get(message.pk, ()):
                    await _add_file(user, message, file)
        await write(_show, draft.conversation)
    except IntegrityError:  # somebody else was quicker
        await write(_discard, draft.conversation.pk)
        return False
    except Exception:
        with suppress(OperationalError, InterfaceError):
            await write(_discard, draft.conversation.pk)
        raise
    return True


async def _add_file(user: User, message: Message, file: File) -> None:
    """As an upload is taken, whatever it is said to be."""
    media_type, data = await asyncio.to_thread(_checked, file)
    await write(
        Attachment.objects.create,
        owner=user,
        message=message,
        name=file.name,
        media_type=media_type,
        size=len(data),
        data=data,
    )


def _checked(file: File) -> tuple[str, bytes]:
    data = file.read()
    return checked(file.name, data, len(data))


def _items(reader: Reader) -> Iterator[Item]:
    for number, (name, found) in enumerate(reader.objects(), 1):
        beside = partial(reader.beside, name, most=MAX_IMAGE_BYTES + 1)
        yield _item(found, name or _("Conversation %(number)d") % {"number": number}, beside)


def _item(found: Found, name: str, beside: Beside) -> Item:
    if isinstance(found, InvalidInput):
        return Item(name, why=str(found))
    title = found.get("title")
    title = title_from(clean_text(title)) if isinstance(title, str) else ""
    try:
        return Item(title or name, _draft(found, beside))
    except InvalidInput as error:
        return Item(title or name, why=str(error))


def _draft(found: dict[str, Any], beside: Beside) -> Draft:
    if document.is_document(found):
        return document.draft_of(found, beside)
    if chatgpt.is_chatgpt(found):
        return chatgpt.draft_of(found)
    raise InvalidInput(_("It is not a conversation of chatapp's or ChatGPT's."))


def _begun(user: User, name: str, size: int) -> Import:
    if any(report.is_running for report in Import.objects.filter(owner=user, finished_at=None)):
        raise InvalidInput(_("An import of yours is still going on. Wait for it to end."))
    return Import.objects.create(owner=user, name=name, size=size)


def _note(report: Import, what: str, item: Item) -> None:
    setattr(report, what, getattr(report, what) + 1)
    if getattr(report, what) <= MOST_NAMED:
        row = {"what": what, "title": item.title, "why": item.why}
        if what == "imported" and item.draft:
            row["id"] = str(item.draft.conversation.pk)
        report.outcomes.append(row)


def _hide(user: User, draft: Draft) -> bool:
    """Stores the conversation where nobody sees it, unless the user has it already."""
    conversation = draft.conversation
    mine = Conversation.objects.filter(owner=user, deleted_at=None)
    if mine.filter(Q(source=conversation.source) | Q(pk__in=_ids(draft))).exists():
        return False
    conversation.owner = user
    conversation.endpoint = _granted(user).get(draft.endpoint_name)
    conversation.deleted_at = timezone.now()
    source, conversation.source = conversation.source, ""
    try:
        conversation.save(force_insert=True)
    finally:
        conversation.source = source
    return True


def _ids(draft: Draft) -> list[UUID]:
    """The ids that the conversation has where it was never imported."""
    home, _colon, origin = draft.conversation.source.partition(":")
    ids = [draft.origin] if draft.origin else []
    try:
        return [*ids, UUID(origin)] if home == "chatapp" else ids
    except ValueError:
        return ids


def _add(conversation: Conversation, messages: Sequence[Message]) -> None:
    endpoints = _granted(conversation.owner)
    for message in messages:
        message.conversation = conversation
        message.endpoint = endpoints.get(message.endpoint_name)
    with transaction.atomic():
        Message.objects.bulk_create(messages)
        index({message.pk: message.text for message in messages})


def _granted(user: User) -> dict[str, Endpoint]:
    """By name: the endpoints that are open to the person."""
    return {e.name: e for e in endpoints_for(user) if e.is_granted}


def _show(conversation: Conversation) -> None:
    """One that was deleted gives its place to the one that is imported anew."""
    source = conversation.source
    with transaction.atomic():
        same = Conversation.objects.filter(owner_id=conversation.owner_id, source=source)
        same.exclude(deleted_at=None).update(source="")
        mine = Conversation.objects.filter(pk=conversation.pk)
        mine.update(source=source, deleted_at=None, updated_at=timezone.now())


def _discard(conversation_id: UUID) -> None:
    """Of somebody who is on hold it stays, hidden as it is; nobody is told."""
    with suppress(ProtectedError):
        Conversation.objects.filter(pk=conversation_id).delete()
