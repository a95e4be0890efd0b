"""A model endpoint as an administrator describes it."""

import os
import re

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from chatapp.errors import InvalidInput

KEY_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*(_API_KEY|_TOKEN)")


def check_key_variable(name: str) -> None:
    """Only variables made for keys can be named, so that no other secret can be sent away."""
    if not KEY_VARIABLE.fullmatch(name):
        raise ValidationError(
            _(
                "Name an environment variable in capitals that ends in _API_KEY or _TOKEN, "
                "for example BASETEN_API_KEY."
            )
        )


class Endpoint(models.Model):
    """Where a conversation's prompts go. Keys stay in the environment; only their name is here."""

    class Protocol(models.TextChoices):
        OPENAI = "openai", _("OpenAI-compatible chat completions")
        ANTHROPIC = "anthropic", _("Anthropic-compatible messages")
        TRUSS = "truss", "Baseten Truss predict"
        CEREBRIUM = "cerebrium", "Cerebrium"

    name = models.CharField(max_length=80, unique=True)
    protocol = models.CharField(max_length=16, choices=Protocol)
    url = models.CharField("URL", max_length=500)
    model = models.CharField(_("model slug"), max_length=200, blank=True)
    api_key_env = models.CharField(
        _("key variable"),
        max_length=100,
        blank=True,
        validators=[check_key_variable],
        help_text=_("Name of the environment variable that holds the key; empty for none."),
    )
    options = models.JSONField(default=dict, blank=True)
    connect_timeout_s = models.FloatField(
        default=10, validators=[MinValueValidator(0.1), MaxValueValidator(120)]
    )
    first_byte_timeout_s = models.FloatField(
        default=300, validators=[MinValueValidator(0.1), MaxValueValidator(3600)]
    )
    silence_timeout_s = models.FloatField(
        default=60, validators=[MinValueValidator(0.1), MaxValueValidator(3600)]
    )
    total_timeout_s = models.FloatField(
        default=900, validators=[MinValueValidator(0.1), MaxValueValidator(24 * 3600)]
    )
    enabled = models.BooleanField(default=True)
    position = models.PositiveSmallIntegerField(_("order"), default=100)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name

    def api_key(self) -> str:
        """The key's value, "" for none. Raises InvalidInput if its variable is unset."""
        if not self.api_key_env:
            return ""
        check_key_variable(self.api_key_env)
        key = os.environ.get(self.api_key_env, "")
        if not key:
            raise InvalidInput(
                _now(
                    "The endpoint “%(name)s” needs a key: "
                    "the variable %(variable)s is not set on the server."
                )
                % {"name": self.name, "variable": self.api_key_env}
            )
        return key
