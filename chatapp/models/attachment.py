"""A file that a person adds to a message."""

import uuid
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import models

from chatapp.models.conversation import Conversation, readable_message_for
from chatapp.models.message import Message
from chatapp.models.queued import Queued

if TYPE_CHECKING:
    from django.contrib.auth.models import User

MAX_IMAGE_BYTES = 5 * 1024 * 1024
MAX_TEXT_BYTES = 200 * 1024
MAX_FILES = 8
MAX_UNSENT = 40
MAX_NAME_CHARS = 120


class Light(models.Manager["Attachment"]):
    """Leaves the bytes in the database until they are asked for."""

    def get_queryset(self) -> models.QuerySet["Attachment"]:
        return super().get_queryset().defer("data")


class Attachment(models.Model):
    """Its bytes, in the database with the message they belong to: one backup holds everything.

    `message` is null until the message is sent; until then `queued` is the one that waits with the
    file, if one does. `media_type` is what the bytes are, found by looking at them, never what the
    sender called them; for text files it is text/plain.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    message = models.ForeignKey(
        Message, null=True, blank=True, on_delete=models.CASCADE, related_name="attachments"
    )
    queued = models.ForeignKey(
        Queued, null=True, blank=True, on_delete=models.CASCADE, related_name="attachments"
    )
    name = models.CharField(max_length=MAX_NAME_CHARS)
    media_type = models.CharField(max_length=40)
    size = models.PositiveIntegerField()
    data = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)

    objects = Light()

    class Meta:
        ordering = ["created_at", "id"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_image(self) -> bool:
        return self.media_type.startswith("image/")


def unsent_files(user: "User") -> models.QuerySet[Attachment]:
    """The user's files that wait for a message, and not with one."""
    return Attachment.objects.filter(owner=user, message=None, queued=None)


def attachment_for(user: "User | AnonymousUser | None", attachment_id: uuid.UUID) -> Attachment:
    """The file with its bytes, if `user` may read its message, be it by a share; one that is not
    sent yet is its owner's alone. Raises Conversation.DoesNotExist as `message_for` does."""
    file = Attachment.objects.defer(None).filter(pk=attachment_id).first()
    if file is None or user is None or not user.is_active:
        raise Conversation.DoesNotExist
    if file.message_id is not None:
        readable_message_for(user, file.message_id)
    elif file.owner_id != user.pk:
        raise Conversation.DoesNotExist
    return file


def copy_files(original: Message, copy: Message) -> None:
    """Gives `copy` files of its own like those of `original`, one at a time and in their order.

    They are its person's, whose the others may not be.
    """
    if not original.file_count:
        return
    for file in original.attachments.defer(None).iterator(chunk_size=1):
        values = {name: getattr(file, name) for name in ("name", "media_type", "size")}
        owner_id = copy.conversation.owner_id
        Attachment.objects.create(message=copy, owner_id=owner_id, data=bytes(file.data), **values)
    copy.file_count = copy.attachments.count()
    copy.save(update_fields=["file_count"])
