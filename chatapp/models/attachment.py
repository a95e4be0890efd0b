"""A file that a person adds to a message."""

import uuid

from django.conf import settings
from django.db import models

from chatapp.models.message import Message


class Attachment(models.Model):
    """Its bytes, in the database with the message they belong to: one backup holds everything.

    `message` is null until the message is sent. `media_type` is what the bytes are, found by
    looking at them, never what the sender called them; for text files it is text/plain.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    message = models.ForeignKey(
        Message, null=True, blank=True, on_delete=models.CASCADE, related_name="attachments"
    )
    name = models.CharField(max_length=120)
    media_type = models.CharField(max_length=40)
    size = models.PositiveIntegerField()
    data = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["created_at", "id"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_image(self) -> bool:
        return self.media_type.startswith("image/")
