"""A prompt that is written once and used often."""

from django.conf import settings
from django.db import models

from chatapp.models.conversation import title_from


class Prompt(models.Model):
    """One person's, or the team's if it is shared; `/name` in the composer puts `text` there."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    name = models.SlugField(max_length=40, allow_unicode=True)
    text = models.TextField()
    is_shared = models.BooleanField(default=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name", "pk"]
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="prompt_name_once")]

    def __str__(self) -> str:
        return self.name

    @property
    def gist(self) -> str:
        """The beginning of the text, in one line."""
        return title_from(self.text)
