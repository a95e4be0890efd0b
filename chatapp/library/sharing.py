"""A conversation → a link by which others may read it, and a copy that a reader makes their own.

Who may read is decided by `shared_conversation_for`. Everything here is synchronous.
"""

from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from chatapp.errors import InvalidInput
from chatapp.library import curation
from chatapp.models import (
    Conversation,
    Message,
    Share,
    conversation_for,
    endpoints_for,
    shared_conversation_for,
    shared_path,
)
from chatapp.models.message import path_of
from chatapp.models.share import TITLE, standing


def share(user: User, conversation_id: UUID, *, grows: bool) -> Share:
    """A link to the conversation as it is now, or as it `grows`; if there is one, the same again.

    A reply that is still being written does not stand yet, so only a growing link shows it.
    """
    conversation = conversation_for(user, conversation_id)
    path = path_of(list(conversation.messages.all()))
    settled = [message for message in path if not message.is_live]
    if not settled:
        raise InvalidInput(_("There is nothing to share yet: say something first."))
    shows: dict[str, Any] = {"message_ids": None, "stood": {}}
    if not grows:
        shows = _standing(conversation, settled)
    for existing in links_of(conversation):
        if (existing.message_ids, existing.stood) == (shows["message_ids"], shows["stood"]):
            return existing
    return Share.objects.create(conversation=conversation, **shows)


def revoke(user: User, token: str) -> UUID:
    """Ends a link of the user's; returns the id of its conversation."""
    link = Share.objects.filter(conversation__owner=user, pk=token).first()
    if link is None:
        raise Conversation.DoesNotExist
    Share.objects.filter(pk=token, revoked_at=None).update(revoked_at=timezone.now())
    return link.conversation_id


def links_of(conversation: Conversation) -> QuerySet[Share]:
    """The conversation's links that work, newest first."""
    return conversation.shares.filter(revoked_at=None)


def links_by(user: User) -> QuerySet[Share]:
    """The user's links that work, newest first, each with its conversation."""
    mine = Share.objects.filter(conversation__owner=user, conversation__deleted_at=None)
    return mine.filter(revoked_at=None).select_related("conversation")


def copy(user: User, token: str) -> Conversation:
    """A conversation of the reader's own with what they could read, and nothing that they could
    not: the system prompt, the parameters and the request ids stay behind."""
    shared = shared_conversation_for(user, token)
    new = Conversation(owner=user, title=shared.title)
    path = _settled(shared_path(shared))
    if not path:
        raise InvalidInput(_("The reply is still being written. Copy it when it is finished."))
    granted = {e.pk: e for e in endpoints_for(user) if e.is_granted}
    for message in path:
        message.system_prompt, message.parameters, message.request_id = "", {}, ""
        new.endpoint = granted.get(message.endpoint_id or 0) or new.endpoint
    return curation.filled(new, path)


def _standing(conversation: Conversation, settled: list[Message]) -> dict[str, Any]:
    """What a link says of a conversation as it stands."""
    stood = {str(m.pk): standing(m) for m in settled if m.can_continue}
    return {
        "message_ids": [str(message.pk) for message in settled],
        "stood": {TITLE: conversation.title, **stood},
    }


def _settled(path: list[Message]) -> list[Message]:
    """The path up to the first turn that is still being answered."""
    live = next((i for i, message in enumerate(path) if message.is_live), None)
    return path if live is None else path[: max(live - 1, 0)]
