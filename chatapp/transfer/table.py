"""A conversation → rows of a table, one a message, that no spreadsheet takes for formulas."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from chatapp.models import Message
from chatapp.transfer.csv_cells import BYTE_ORDER_MARK, csv_row
from chatapp.transfer.slices import Talk

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

_RATINGS = {1: "good", -1: "bad", None: ""}


def head() -> str:
    return BYTE_ORDER_MARK + csv_row(COLUMNS)


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
        yield csv_row((*about, *_cells(message)))


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
