"""A conversation as a JSON document of our own, and back.

One object: `format` “chatapp.conversation”, `version` 1, `id`, `source` (see Conversation), the
conversation's columns by their names, `endpoint` by its name, and `messages` in order of asking:
every branch, each with `id`, `parent` (an id or null) and its columns by their names. Times are
ISO 8601 with their zone. Columns that are missing have their defaults, unknown ones are passed
over, so that versions of chatapp can read each other. What belongs to the running service stays
out: keys, owners, leases. A message's `attachments` have a `name`, a `media_type`, a `size` and
their bytes as `data` in base64; or, in a zip, as `file` the place where they stand beside the
document. What they are is found out anew by whoever reads it.
"""

import json
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import Any, TypeAlias
from uuid import UUID, uuid4

from django.core.exceptions import ValidationError
from django.db import models
from django.db.backends.base.operations import BaseDatabaseOperations
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from chatapp.composing.filetypes import clean_name
from chatapp.errors import InvalidInput, Kind
from chatapp.forms import clean_text
from chatapp.models import Conversation, Message, Status
from chatapp.models.attachment import MAX_FILES, MAX_NAME_CHARS
from chatapp.models.conversation import TITLE_CHARS
from chatapp.transfer.draft import Beside, Draft, File, check_size, parents_first
from chatapp.transfer.files import base64_of, data_of, place_of
from chatapp.transfer.slices import Talk

FORMAT = "chatapp.conversation"
VERSION = 1
Column: TypeAlias = "models.Field[Any, Any]"

SOURCES = ("chatapp:", "chatgpt:")

# Foreign keys are written by hand; these are about the service or the moment, not about the talk.
LEFT_OUT = {
    Conversation: {"id", "owner", "endpoint", "source", "updated_at", "deleted_at", "summed_up"},
    Message: {
        "id",
        "conversation",
        "parent",
        "endpoint",
        "key",
        "owner",
        "lease_until",
        "file_count",
    },
}

_MOST_PARAMETERS = 50
_MOST_COUNTS = 10_000
_NUMBERS = ("temperature", "top_p", "max_tokens")


def columns(model: type[models.Model]) -> list[Column]:
    """The columns of a model that a document has."""
    return [f for f in model._meta.concrete_fields if f.name not in LEFT_OUT[model]]


def pieces(
    talk: Talk, about: Mapping[str, Any] | None = None, *, is_in_zip: bool = False
) -> Iterator[str]:
    """The document, a message at a time, and a large file in several; `about` is said of the
    conversation as well."""
    conversation = talk.conversation
    head = {
        "format": FORMAT,
        "version": VERSION,
        "id": str(conversation.pk),
        "source": source_of(conversation),
        "endpoint": conversation.endpoint.name if conversation.endpoint else None,
        **_values(conversation),
        **(about or {}),
    }
    yield _json(head)[:-1] + ', "messages": ['
    mark = "\n"
    for message in talk.messages():
        parent = str(message.parent_id) if message.parent_id else None
        row = {"id": str(message.pk), "parent": parent, **_values(message)}
        yield mark + _json(row)[:-1] + ', "attachments": ['
        yield from _attachments(message, is_in_zip=is_in_zip)
        yield "]}"
        mark = ",\n"
    yield "\n]}\n"


def _attachments(message: Message, *, is_in_zip: bool) -> Iterator[str]:
    mark = ""
    for file in message.attachments.all():
        row = {"name": file.name, "media_type": file.media_type, "size": file.size}
        if is_in_zip:
            yield mark + _json(row | {"file": place_of(file)})
        elif (data := data_of(file)) is not None:
            yield mark + _json(row)[:-1] + ', "data": "'
            yield from base64_of(data)
            yield '"}'
        mark = ", "


def source_of(conversation: Conversation) -> str:
    """Where the conversation comes from; from here, unless it was imported."""
    return conversation.source or f"chatapp:{conversation.pk}"


def is_document(data: Mapping[str, Any]) -> bool:
    return data.get("format") == FORMAT


def draft_of(data: Mapping[str, Any], beside: Beside) -> Draft:
    """The conversation that a document holds; `beside` reads what stands at a place beside it.

    Raises InvalidInput with what is wrong with it.
    """
    version = data.get("version")
    if not isinstance(version, int) or version > VERSION:
        raise InvalidInput(_("It was written by a newer chatapp; update this one first."))
    rows = data.get("messages")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InvalidInput(_("Expected a list of messages in it."))
    if not rows:
        raise InvalidInput(_("It has no messages."))
    check_size(len(rows))
    origin = _uuid(data.get("id"))
    conversation = _restored(Conversation(), data)
    conversation.title = conversation.title[:TITLE_CHARS]
    conversation.parameters = _parameters(conversation.parameters)
    conversation.source = _source(data.get("source"), origin)
    endpoint = data.get("endpoint")
    endpoint_name = clean_text(endpoint) if isinstance(endpoint, str) else ""
    files: dict[UUID, list[File]] = {}
    messages = _messages(rows, files, beside)
    return Draft(conversation, messages, origin, endpoint_name, files)


def _messages(
    rows: list[dict[str, Any]], files: dict[UUID, list[File]], beside: Beside
) -> list[Message]:
    """The messages, parents first; `files` gets those of each that has some."""
    ids = {_uuid(row.get("id")): uuid4() for row in rows}
    if len(ids) != len(rows):
        raise InvalidInput(_("Two of its messages have the same id."))
    messages: list[Message] = []
    for number, row in enumerate(rows, 1):
        parent = row.get("parent")
        if parent is not None and _uuid(parent) not in ids:
            raise InvalidInput(_("Its messages do not follow from a first one."))
        message = Message(pk=ids[_uuid(row["id"])])
        message.parent_id = ids[_uuid(parent)] if parent is not None else None
        try:
            messages.append(_checked(_restored(message, row)))
            if found := list(_files(row, beside)):
                files[message.pk], message.file_count = found, len(found)
        except InvalidInput as error:
            what = {"number": number, "what": str(error)}
            raise InvalidInput(_("Message %(number)d: %(what)s") % what) from None
    return parents_first(messages)


def _files(row: Mapping[str, Any], beside: Beside) -> Iterator[File]:
    """The files of a message. Older documents have their names alone; those are passed over."""
    listed = row.get("attachments", [])
    if not isinstance(listed, list) or len(listed) > MAX_FILES:
        raise InvalidInput(
            _("“attachments” should be %(most)d files at most.") % {"most": MAX_FILES}
        )
    for each in listed:
        if not isinstance(each, dict) or not isinstance(each.get("name"), str):
            continue
        name = clean_name(clean_text(each["name"]), MAX_NAME_CHARS)
        data, place = each.get("data"), each.get("file")
        if isinstance(data, str):
            yield File(name, partial(_decoded, name, data))
        elif isinstance(place, str):
            yield File(name, partial(beside, place))


def _decoded(name: str, data: str) -> bytes:
    try:
        return b64decode(data, validate=True)
    except ValueError:
        raise InvalidInput(_("“%(name)s” is broken.") % {"name": name}) from None


def _checked(message: Message) -> Message:
    """What the columns alone don't say."""
    if message.is_live:  # when it was exported; nobody writes it here
        message.status = Status.INTERRUPTED
        message.finished_at = message.finished_at or message.last_token_at or message.asked_at
    if message.error_kind and message.error_kind not in set(Kind):
        raise InvalidInput(_("“error_kind” is none that is known."))
    if message.rating not in (None, 1, -1):
        raise InvalidInput(_("“rating” should be 1, -1 or null."))
    seams = message.seams
    if not _are_counts(seams) or seams != sorted(seams) or seams[-1:] > [len(message.text)]:
        raise InvalidInput(_("“seams” should be positions in the text."))
    message.parameters = _parameters(message.parameters)
    if message.arrivals != {} and not _is_record(message.arrivals):
        raise InvalidInput(_("“arrivals” should have bucket_ms and counts."))
    return message


def _is_record(arrivals: Any) -> bool:
    """Whether it looks like `Arrivals.record()`."""
    if not isinstance(arrivals, dict) or not _are_counts(arrivals.get("counts")):
        return False
    bucket_ms: Any = arrivals.get("bucket_ms")
    is_number = isinstance(bucket_ms, int | float) and not isinstance(bucket_ms, bool)
    return is_number and 0 < bucket_ms < 10**9


def _are_counts(value: Any) -> bool:
    """Whether it is a list of whole numbers from 0 on."""
    if not isinstance(value, list) or len(value) > _MOST_COUNTS:
        return False
    return all(type(number) is int and 0 <= number < 2**53 for number in value)


def _parameters(value: Any) -> dict[str, Any]:
    """Parameters that can be sent to an endpoint: plain values, by name."""
    is_dict = isinstance(value, dict) and len(value) <= _MOST_PARAMETERS
    if not is_dict or not all(map(_is_plain, value.values())):
        raise InvalidInput(_("“parameters” should be plain values, by name."))
    found: dict[str, Any] = {name: each for name, each in value.items() if each is not None}
    for name in _NUMBERS:
        if name in found and not _is_number(found[name]):
            raise InvalidInput(_("“parameters” should have a number as %(name)s.") % {"name": name})
    if not isinstance(found.get("stop", []), list):
        raise InvalidInput(_("“parameters” should have a list as %(name)s.") % {"name": "stop"})
    return found


def _is_number(value: Any) -> bool:
    """Whether every database and every endpoint takes it for one."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and abs(value) <= 2**53


def _is_plain(value: Any) -> bool:
    if isinstance(value, list):
        return len(value) <= _MOST_PARAMETERS and all(isinstance(v, str) for v in value)
    return value is None or isinstance(value, str | int | float | bool)


def _values(row: models.Model) -> dict[str, Any]:
    return {column.name: _plain(getattr(row, column.name)) for column in columns(type(row))}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _restored(row: Any, data: Mapping[str, Any]) -> Any:
    """The row with the columns that `data` has, each of its kind and within its bounds."""
    for column in columns(type(row)):
        if column.name not in data:
            continue
        value = data[column.name]
        try:
            if value is None and column.null:
                setattr(row, column.name, None)
                continue
            value = _reader_of(column)(value)
            _check_range(column, value)
            setattr(row, column.name, column.clean(value, row))
        except (ValidationError, ValueError, TypeError, OverflowError, RecursionError):
            raise InvalidInput(
                _("“%(name)s” is not what it should be.") % {"name": column.name}
            ) from None
    return row


def _reader_of(column: Column) -> Callable[[Any], Any]:
    for kind, reader in _READERS.items():
        if isinstance(column, kind):
            return reader
    raise ValueError(column.name)


def _check_range(column: Column, value: Any) -> None:
    """Whole numbers that every database takes, not just this one."""
    bounds = BaseDatabaseOperations.integer_field_ranges.get(column.get_internal_type())
    if bounds and not (isinstance(value, int) and bounds[0] <= value <= bounds[1]):
        raise ValueError


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return clean_text(value)


def _time(value: Any) -> datetime:
    found = parse_datetime(value)
    if found is None or timezone.is_naive(found) or not 1900 < found.year < 9000:
        raise ValueError
    return found


def _number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError
    return value


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _cleaned(value: Any) -> Any:
    """A JSON value whose strings can be stored."""
    if isinstance(value, dict):
        return {clean_text(name): _cleaned(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_cleaned(each) for each in value]
    return clean_text(value) if isinstance(value, str) else value


_READERS: dict[type[Column], Callable[[Any], Any]] = {
    models.CharField: _text,
    models.TextField: _text,
    models.DateTimeField: _time,
    models.BooleanField: _truth,
    models.IntegerField: _number,
    models.FloatField: _number,
    models.JSONField: _cleaned,
}


def _source(value: Any, origin: UUID) -> str:
    is_known = isinstance(value, str) and value.startswith(SOURCES) and value.isprintable()
    return value if is_known and len(value) <= 120 else f"chatapp:{origin}"


def _uuid(value: Any) -> UUID:
    try:
        return UUID(value)
    except (ValueError, TypeError, AttributeError):
        raise InvalidInput(_("Expected an id in it.")) from None
