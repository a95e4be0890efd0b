"""Settings for conversations, kept under a name."""

from django.conf import settings
from django.db import models


class Preset(models.Model):
    """One person's, or the team's if it is shared: then everyone may use it, its owner changes it.

    `parameters` are those of a conversation; `endpoint_name` outlives its endpoint.
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=80)
    is_shared = models.BooleanField(default=False)
    endpoint = models.ForeignKey(
        "Endpoint", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    endpoint_name = models.CharField(max_length=80, blank=True)
    system_prompt = models.TextField(blank=True)
    parameters = models.JSONField(default=dict, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name", "pk"]
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="preset_name_once")]

    def __str__(self) -> str:
        return self.name
