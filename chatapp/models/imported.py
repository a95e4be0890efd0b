"""One file of conversations that a person brings along: how far it is, and what came of it."""

import uuid
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone

# A process that still works on an import says so far more often.
SILENCE = timedelta(seconds=60)


class Import(models.Model):
    """`position` of `size` bytes are read. `outcomes` are {"what", "title", "why", "id"} of the
    first conversations, the counts are of all; `trouble` says why reading ended early.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=120)
    size = models.PositiveBigIntegerField()
    position = models.PositiveBigIntegerField(default=0)
    imported = models.PositiveIntegerField(default=0)
    present = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    outcomes = models.JSONField(default=list)
    trouble = models.TextField(blank=True)
    started_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(auto_now=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-started_at"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_running(self) -> bool:
        return self.finished_at is None and not self.is_abandoned

    @property
    def is_abandoned(self) -> bool:
        """Whether the process that worked on it is gone."""
        return self.finished_at is None and self.updated_at < timezone.now() - SILENCE
