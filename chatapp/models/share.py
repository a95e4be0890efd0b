"""A link by which everyone who can sign in may read a conversation."""

import secrets

from django.db import models


def new_token() -> str:
    """192 bits that nobody guesses."""
    return secrets.token_urlsafe(24)


class Share(models.Model):
    """Ends when it is revoked or its conversation deleted.

    `message_ids` are the messages of a conversation as it stood; null means as it grows.
    """

    token = models.CharField(max_length=40, primary_key=True, default=new_token, editable=False)
    conversation = models.ForeignKey(
        "Conversation", on_delete=models.CASCADE, related_name="shares"
    )
    message_ids = models.JSONField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return str(self.conversation)
