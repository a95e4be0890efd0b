"""A link by which everyone who can sign in may read a conversation."""

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import models

from chatapp.models.message import MAKING, Message

TITLE = "title"
_COLUMNS = {column.name: column for column in Message._meta.concrete_fields}


def new_token() -> str:
    """192 bits that nobody guesses."""
    return secrets.token_urlsafe(24)


class Share(models.Model):
    """Ends when it is revoked or its conversation deleted.

    `message_ids` are the messages of a conversation as it stood; null means as it grows. `stood`
    are the columns, by id, of those of them that may still be continued, and the title then.
    """

    token = models.CharField(max_length=40, primary_key=True, default=new_token, editable=False)
    conversation = models.ForeignKey(
        "Conversation", on_delete=models.CASCADE, related_name="shares"
    )
    message_ids = models.JSONField(null=True, blank=True)
    stood = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.title or str(self.conversation)

    @property
    def title(self) -> str:
        """What readers see above it."""
        title: str = self.stood.get(TITLE, self.conversation.title)
        return title


def standing(message: Message) -> dict[str, Any]:
    """The reply as it stands, for a link that keeps it so."""
    values = {name: getattr(message, name) for name in MAKING}
    return {n: v.isoformat() if isinstance(v, datetime) else v for n, v in values.items()}


def as_it_stood(message: Message, columns: Mapping[str, Any]) -> Message:
    """The message with the columns of `standing` instead of its own."""
    for name, value in columns.items():
        setattr(message, name, _COLUMNS[name].to_python(value))
    return message
