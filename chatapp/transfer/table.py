"""A conversation → rows of a table, one a message, that no spreadsheet takes for formulas."""

import csv
import unicodedata
from collections.abc import Iterator
from datetime import datetime
from io import StringIO
from typing import Any

from chatapp.models import Message
from chatapp.transfer.slices import Talk

# Spreadsheets guess at another encoding without it.
BYTE_ORDER_MARK = "\ufeff"
COLUMNS = (
    "conversation",
    "person",
    "title",
    "deleted_at",
    "message",
    "parent",
    "role",
    "status",
    "asked_at",
    "finished_at",
    "endpoint",
    "model",
    "first_token_ms",
    "total_ms",
    "input_tokens",
    "output_tokens",
    "finish_reason",
    "error_kind",
    "error_status",
    "error_message",
    "rating",
    "rating_reason",
    "attachments",
    "text",
    "reasoning",
    "refusal",
)

# As normalized: full-width, small and raised forms are the same signs to some spreadsheets.
_FORMULA_SIGNS = tuple("=+-@\N{MINUS SIGN}")
_BREAKS = ("\t", "\r", "\n")
_RATINGS = {1: "good", -1: "bad", None: ""}


def head() -> str:
    return BYTE_ORDER_MARK + _row(COLUMNS)


def pieces(talk: Talk) -> Iterator[str]:
    """A row for each message, every branch, in order of asking."""
    conversation = talk.conversation
    about = (
        conversation.pk,
        conversation.owner.get_username(),
        str(conversation),
        conversation.deleted_at,
    )
    for message in talk.messages():
        yield _row((*about, *_cells(message)))


def safe(text: str) -> str:
    """The text with an apostrophe before what could begin a formula, however it is disguised.

    Source: OWASP, CSV Injection; further forms of the signs as spreadsheets take them in.
    """
    is_formula = unicodedata.normalize("NFKC", _visible(text)[:1]).startswith(_FORMULA_SIGNS)
    return f"'{text}" if is_formula or text.startswith(_BREAKS) else text


def _visible(text: str) -> str:
    """From the first character on that is neither a space nor invisible."""
    for at, character in enumerate(text):
        if unicodedata.category(character)[0] not in "CZ":
            return text[at:]
    return ""


def _cells(message: Message) -> tuple[Any, ...]:
    return (
        message.pk,
        message.parent_id,
        message.role,
        message.status,
        message.asked_at,
        message.finished_at,
        message.endpoint_name,
        message.model,
        _ms(message.request_sent_at, message.first_token_at),
        _ms(message.request_sent_at, message.finished_at),
        message.input_tokens,
        message.output_tokens,
        message.finish_reason,
        message.error_kind,
        message.error_status,
        message.error_message,
        _RATINGS[message.rating],
        message.rating_reason,
        ", ".join(attachment.name for attachment in message.attachments.all()),
        message.text,
        message.reasoning,
        message.refusal,
    )


def _ms(begin: datetime | None, end: datetime | None) -> int | None:
    return round((end - begin).total_seconds() * 1000) if begin and end else None


def _row(values: tuple[Any, ...]) -> str:
    sink = StringIO()
    csv.writer(sink).writerow(map(_cell, values))
    return sink.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return safe(value) if isinstance(value, str) else value
