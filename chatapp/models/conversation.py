"""A conversation: one person's messages with one endpoint at a time."""

import contextlib
import uuid
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from chatapp.models.endpoint import endpoint_for
from chatapp.models.keys import db_key, is_there
from chatapp.models.message import Message, path_of
from chatapp.models.share import Share, as_it_stood
from chatapp.text import one_line

if TYPE_CHECKING:
    from django.contrib.auth.models import User

TITLE_CHARS = 80
# Its summary was never made, or of what it was before.
IS_DUE = (
    models.Q(summed_up=None)
    | models.Q(summed_up__lt=models.F("updated_at"))
    | models.Q(summed_up__gt=models.F("updated_at"))
)


class Conversation(models.Model):
    """One person's thread. A deleted one is kept for a while, and nobody but the administrator
    sees it.

    `updated_at` moves with every change, `active_at` when something is asked or answered;
    `answered_at` is the end of the last reply, `seen_at` when its person last saw it. The title is
    made from the first message unless it is the person's own. `source` names what it was imported
    from, so that the same is not imported twice. `summed_up` is what `Summary` says of it.
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
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(auto_now=True)
    active_at = models.DateTimeField(default=timezone.now)
    answered_at = models.DateTimeField(null=True, blank=True)
    seen_at = models.DateTimeField(null=True, blank=True)
    pinned_at = models.DateTimeField(null=True, blank=True)
    archived_at = models.DateTimeField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)
    summed_up = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["-active_at"]
        verbose_name = _("conversation")
        verbose_name_plural = _("conversations")
        permissions = [("export_conversation", _("Can export conversations"))]
        indexes = [
            models.Index(fields=["owner", "-active_at"]),
            models.Index(fields=["updated_at"], name="conversation_updated_at"),
            models.Index(
                fields=["deleted_at"],
                condition=models.Q(deleted_at__isnull=False),
                name="conversation_deleted_at",
            ),
            models.Index(fields=["-updated_at"], name="conversation_due", condition=IS_DUE),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "source"], condition=~models.Q(source=""), name="source_once"
            )
        ]

    def __str__(self) -> str:
        return self.title or gettext("New conversation")


def conversation_for(
    user: "User | AnonymousUser | None", conversation_id: uuid.UUID
) -> Conversation:
    """The conversation, if `user` may see and continue it: the one rule of ownership.

    Pages, sockets and actions all ask here. Raises Conversation.DoesNotExist otherwise, so that
    someone else's conversation and none look the same.
    """
    if user is None or not user.is_active:
        raise Conversation.DoesNotExist
    for conversation in Conversation.objects.raw(_OWN, [db_key(conversation_id), user.pk]):
        conversation.endpoint = endpoint_for(user, conversation.endpoint_id)
        return conversation
    raise Conversation.DoesNotExist


# Written out: every question begins with them, and composing a query takes the ORM ten times as
# long as it takes the database to answer it.
_OWN = f"""
    SELECT * FROM {Conversation._meta.db_table}
    WHERE id = %s AND owner_id = %s AND deleted_at IS NULL
"""
_KEPT = f"SELECT 1 FROM {Conversation._meta.db_table} WHERE id = %s AND deleted_at IS NULL"


def is_kept(conversation_id: uuid.UUID) -> bool:
    """Whether there is such a conversation and nobody deleted it."""
    return is_there(_KEPT, conversation_id)


def message_for(user: "User | AnonymousUser | None", message_id: uuid.UUID) -> Message:
    """The message, if its conversation is the user's. Raises as `conversation_for` does."""
    message = Message.objects.filter(pk=message_id).first()
    if message is None:
        raise Conversation.DoesNotExist
    message.conversation = conversation_for(user, message.conversation_id)
    return message


def shared_conversation_for(user: "User | AnonymousUser | None", token: str) -> Share:
    """The share by which `user` may read a conversation: the one rule for readers.

    Everyone who can sign in may read what `shared_path` of it gives, and nothing else. Raises
    Conversation.DoesNotExist alike for a token that never was, a revoked one, and one whose
    conversation, messages or owner are gone.
    """
    if user is None or not user.is_active:
        raise Conversation.DoesNotExist
    readable = Share.objects.filter(
        revoked_at=None, conversation__deleted_at=None, conversation__owner__is_active=True
    )
    share = readable.select_related("conversation__owner").filter(pk=token).first()
    if share is None or not _shared(share).exists():
        raise Conversation.DoesNotExist
    return share


def readable_message_for(user: "User | AnonymousUser | None", message_id: uuid.UUID) -> Message:
    """The message, if `user` owns it or a share shows it. Raises as `conversation_for` does."""
    with contextlib.suppress(Conversation.DoesNotExist):
        return message_for(user, message_id)
    for share in Share.objects.filter(conversation__messages=message_id):
        with contextlib.suppress(Conversation.DoesNotExist):
            if _shows(shared_conversation_for(user, share.pk), message_id):
                return Message.objects.get(pk=message_id)
    raise Conversation.DoesNotExist


def _shows(share: Share, message_id: uuid.UUID) -> bool:
    """Whether it is among `shared_path`, without reading that."""
    if share.message_ids is not None:
        return str(message_id) in share.message_ids
    light = share.conversation.messages.only("conversation", "parent", "asked_at", "chosen_at")
    return any(message.pk == message_id for message in path_of(list(light)))


def shared_path(share: Share) -> list[Message]:
    """The messages that readers of `share` see, oldest first."""
    messages = list(_shared(share))
    if share.message_ids is None:
        return path_of(messages)
    by_id = {str(message.pk): message for message in messages}
    return [
        as_it_stood(by_id[message_id], share.stood.get(message_id, {}))
        for message_id in share.message_ids
        if message_id in by_id
    ]


def _shared(share: Share) -> models.QuerySet[Message]:
    messages = share.conversation.messages.all()
    return messages if share.message_ids is None else messages.filter(pk__in=share.message_ids)


def mark_changed(conversation_id: uuid.UUID) -> None:
    """Other processes look at it."""
    Conversation.objects.filter(pk=conversation_id).update(updated_at=timezone.now())


def title_from(prompt: str) -> str:
    """A prompt's beginning as a title: one line, cut at a word where it can be."""
    line = one_line(prompt)
    if len(line) <= TITLE_CHARS:
        return line
    cut = line[: TITLE_CHARS - 1]
    head, _, _ = cut.rpartition(" ")
    return (head if len(head) > TITLE_CHARS // 2 else cut) + "…"
