"""A message that waits for the reply before it to end."""

import uuid

from django.db import models
from django.utils import timezone

from chatapp.models.conversation import title_from
from chatapp.models.keys import is_there


class Queued(models.Model):
    """Sent in order of `asked_at`, each after the reply to the one before.

    `key` is the sender's idempotency key, which the message takes over. The first of a
    conversation goes once what is shown ends in a complete reply to the prompt `after`; otherwise,
    and without one, its person has to say so. One that `is_urgent` stopped that reply: it goes
    before the others, however the reply ends. `refusal` tells the limit that it met, if it did.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    conversation = models.ForeignKey(
        "Conversation", on_delete=models.CASCADE, related_name="queued"
    )
    key = models.UUIDField()
    text = models.TextField()
    endpoint = models.ForeignKey(
        "Endpoint", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    after = models.ForeignKey(
        "Message", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    is_urgent = models.BooleanField(default=False)
    refusal = models.JSONField(null=True, blank=True)
    asked_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-is_urgent", "asked_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["conversation", "key"], name="queued_key_once")
        ]

    def __str__(self) -> str:
        return title_from(self.text)


_ANY = f"SELECT 1 FROM {Queued._meta.db_table} WHERE conversation_id = %s LIMIT 1"


def has_queued(conversation_id: uuid.UUID) -> bool:
    """Whether anything waits there, or waited and was sent by another way."""
    return is_there(_ANY, conversation_id)
