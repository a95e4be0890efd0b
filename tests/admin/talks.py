"""Conversations for administrators' tests: many in few lines."""

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from chatapp.models import Conversation, Message, Role
from chatapp.models.search import index


def talk(
    owner: User, title: str = "A talk", *, prompt: str = "Hello", **reply: Any
) -> Conversation:
    """A conversation of one prompt and one reply, which has `reply`'s columns."""
    conversation = Conversation.objects.create(owner=owner, title=title)
    asked = said(conversation, None, Role.USER, text=prompt)
    said(conversation, asked, Role.ASSISTANT, **{"text": "An answer", **reply})
    return conversation


def said(conversation: Conversation, parent: Message | None, role: Role, **columns: Any) -> Message:
    """One message more, which can be found."""
    message = Message.objects.create(conversation=conversation, parent=parent, role=role, **columns)
    index({message.pk: message.text})
    conversation.save(update_fields=["updated_at"])
    return message


def timed(first_token_s: float, *, total_s: float = 4.0, tokens: int = 80) -> dict[str, Any]:
    """The times of a reply that waited so long for its first token."""
    asked = timezone.now() - timedelta(minutes=5)
    first = asked + timedelta(seconds=first_token_s)
    return {
        "asked_at": asked,
        "request_sent_at": asked,
        "first_token_at": first,
        "last_token_at": first + timedelta(seconds=2),
        "finished_at": asked + timedelta(seconds=total_s),
        "output_tokens": tokens,
    }
