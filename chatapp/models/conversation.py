"""A conversation: one person's messages with one endpoint at a time."""

import uuid
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.utils import timezone

from chatapp.models.message import Message

if TYPE_CHECKING:
    from django.contrib.auth.models import User

TITLE_CHARS = 80


class Conversation(models.Model):
    """One person's thread. A deleted one is kept for a while, and nobody but the administrator
    sees it.

    `updated_at` moves with every change, `active_at` when something is asked or answered;
    `answered_at` is the end of the last reply, `seen_at` when its person last saw it. The title is
    made from the first message unless it is the person's own. `source` names what it was imported
    from, so that the same is not imported twice.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="conversations"
    )
    title = models.CharField(max_length=TITLE_CHARS, blank=True)
    is_title_own = models.BooleanField(default=False)
    source = models.CharField(max_length=120, blank=True)
    endpoint = models.ForeignKey(
        "Endpoint", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    system_prompt = models.TextField(blank=True)
    parameters = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    active_at = models.DateTimeField(default=timezone.now)
    answered_at = models.DateTimeField(null=True, blank=True)
    seen_at = models.DateTimeField(null=True, blank=True)
    pinned_at = models.DateTimeField(null=True, blank=True)
    archived_at = models.DateTimeField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-active_at"]
        indexes = [models.Index(fields=["owner", "-active_at"])]
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "source"], condition=~models.Q(source=""), name="source_once"
            )
        ]

    def __str__(self) -> str:
        return self.title or "New conversation"


def conversation_for(
    user: "User | AnonymousUser | None", conversation_id: uuid.UUID
) -> Conversation:
    """The conversation, if `user` may see and continue it: the one rule of ownership.

    Pages, sockets and actions all ask here. Raises Conversation.DoesNotExist otherwise, so that
    someone else's conversation and none look the same.
    """
    if user is None or not user.is_active:
        raise Conversation.DoesNotExist
    kept = Conversation.objects.filter(owner=user, deleted_at=None)
    return kept.select_related("endpoint").get(pk=conversation_id)


def message_for(user: "User | AnonymousUser | None", message_id: uuid.UUID) -> Message:
    """The message, if its conversation is the user's. Raises as `conversation_for` does."""
    message = Message.objects.filter(pk=message_id).first()
    if message is None:
        raise Conversation.DoesNotExist
    message.conversation = conversation_for(user, message.conversation_id)
    return message


def title_from(prompt: str) -> str:
    """A prompt's beginning as a title: one line, cut at a word where it can be."""
    line = " ".join(prompt.split())
    if len(line) <= TITLE_CHARS:
        return line
    cut = line[: TITLE_CHARS - 1]
    head, _, _ = cut.rpartition(" ")
    return (head if len(head) > TITLE_CHARS // 2 else cut) + "…"
