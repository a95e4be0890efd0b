"""A message that waits for the reply before it to end."""

import uuid

from django.db import models


class Queued(models.Model):
    """Sent in order of `asked_at`, each after the reply to the one before; `key` is the sender's
    idempotency key, which the message takes over."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    conversation = models.ForeignKey(
        "Conversation", on_delete=models.CASCADE, related_name="queued"
    )
    key = models.UUIDField()
    text = models.TextField()
    endpoint = models.ForeignKey(
        "Endpoint", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    asked_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["asked_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["conversation", "key"], name="queued_key_once")
        ]

    def __str__(self) -> str:
        return self.text[:40]
