"""A model endpoint as an administrator describes it, and whom it answers."""

import os
import re
from typing import Any

from django.contrib.auth.models import AnonymousUser, Group, User
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.signals import post_delete, pre_delete
from django.dispatch import receiver
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from chatapp.errors import InvalidInput

# METRICS_TOKEN is the service's own.
KEY_VARIABLE = re.compile(r"(?!METRICS_TOKEN$)[A-Z][A-Z0-9_]*(_API_KEY|_TOKEN)")


def check_key_variable(name: str) -> None:
    """Only variables made for keys can be named, so that no other secret can be sent away."""
    if not KEY_VARIABLE.fullmatch(name):
        raise ValidationError(
            _(
                "Name an environment variable in capitals that ends in _API_KEY or _TOKEN, "
                "for example BASETEN_API_KEY; METRICS_TOKEN is the service's own."
            )
        )


class Endpoint(models.Model):
    """Where a conversation's prompts go. Keys stay in the environment; only their name is here.

    Without groups it is everybody's; with some it is theirs, and superusers'.
    """

    class Protocol(models.TextChoices):
        OPENAI = "openai", _("OpenAI-compatible chat completions")
        ANTHROPIC = "anthropic", _("Anthropic-compatible messages")
        TRUSS = "truss", _("Baseten Truss predict")
        CEREBRIUM = "cerebrium", _("Cerebrium")

    # Whether the person whom it was looked up for may use it. Nobody may unless that was asked:
    # see `endpoints_for`.
    is_granted = False

    name = models.CharField(
        _("name"), max_length=80, unique=True, help_text=_("What people choose it by.")
    )
    protocol = models.CharField(_("protocol"), max_length=16, choices=Protocol)
    url = models.CharField(_("URL"), max_length=500)
    model = models.CharField(
        _("model slug"),
        max_length=200,
        blank=True,
        help_text=_("The model's name as the endpoint knows it, if it serves several."),
    )
    api_key_env = models.CharField(
        _("key variable"),
        max_length=100,
        blank=True,
        validators=[check_key_variable],
        help_text=_("Name of the environment variable that holds the key; empty for none."),
    )
    options = models.JSONField(
        _("options"),
        default=dict,
        blank=True,
        help_text=_('A JSON object, such as {"max_tokens": 4096}.'),
    )
    connect_timeout_s = models.FloatField(
        _("seconds to connect"),
        default=10,
        validators=[MinValueValidator(0.1), MaxValueValidator(120)],
    )
    first_byte_timeout_s = models.FloatField(
        _("seconds to the first byte"),
        default=300,
        validators=[MinValueValidator(0.1), MaxValueValidator(3600)],
        help_text=_("A model that slept can take minutes to start."),
    )
    silence_timeout_s = models.FloatField(
        _("seconds of silence"),
        default=60,
        validators=[MinValueValidator(0.1), MaxValueValidator(3600)],
    )
    total_timeout_s = models.FloatField(
        _("seconds in all"),
        default=900,
        validators=[MinValueValidator(0.1), MaxValueValidator(24 * 3600)],
    )
    enabled = models.BooleanField(_("enabled"), default=True)
    position = models.PositiveSmallIntegerField(
        _("order"), default=100, help_text=_("Low numbers come first.")
    )
    groups = models.ManyToManyField(
        Group,
        blank=True,
        related_name="endpoints",
        verbose_name=_("groups"),
        help_text=_("Who may use it; everybody, if none is chosen."),
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        ordering = ["position", "name"]
        verbose_name = _("endpoint")
        verbose_name_plural = _("endpoints")

    def __str__(self) -> str:
        return self.name

    @property
    def is_usable(self) -> bool:
        """Whether the person whom it was looked up for can ask it now."""
        return self.enabled and bool(self.is_granted)

    @property
    def has_key_set(self) -> bool:
        """Whether this process knows the variable that holds the key."""
        is_allowed = KEY_VARIABLE.fullmatch(self.api_key_env) is not None
        return is_allowed and bool(os.environ.get(self.api_key_env))

    def takes_key_elsewhere(self, stored: "Endpoint") -> bool:
        """Whether the key of `stored` would go to another address if it became this one."""
        is_same_key = self.api_key_env == stored.api_key_env != ""
        return is_same_key and (self.url, self.protocol) != (stored.url, stored.protocol)

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


def endpoints_for(user: User | AnonymousUser) -> list[Endpoint]:
    """All endpoints in order, each knowing whether `user` may use it: the one rule of that.

    What is offered to a person, or taken from one, comes from here or from `endpoint_for`.
    """
    return list(Endpoint.objects.raw(_ALL, _who(user)))


def usable_endpoints(user: User | AnonymousUser) -> list[Endpoint]:
    """Those that the person can ask now, in order."""
    return [endpoint for endpoint in endpoints_for(user) if endpoint.is_usable]


def endpoint_for(user: User | AnonymousUser, endpoint_id: int | None) -> Endpoint | None:
    """The endpoint with that id, knowing whether `user` may use it; None if there is none."""
    if endpoint_id is None:
        return None
    return next(iter(Endpoint.objects.raw(_ONE, [*_who(user), endpoint_id])), None)


@receiver(pre_delete, sender=Group)
def _remember_those_of(instance: Group, **kwargs: Any) -> None:
    """What is deleted together is announced together: none of it is gone yet."""
    instance._endpoint_ids = list(instance.endpoints.values_list("pk", flat=True))  # type: ignore[attr-defined]


@receiver(post_delete, sender=Group)
def _disable_those_of(instance: Group, **kwargs: Any) -> None:
    """An endpoint whose last group goes is nobody's: without any it would become everybody's."""
    theirs = Endpoint.objects.filter(pk__in=instance._endpoint_ids)  # type: ignore[attr-defined]
    theirs.filter(groups=None).update(enabled=False)


def _who(user: User | AnonymousUser) -> list[int]:
    return [int(user.is_superuser), user.pk or 0]


_TABLE = Endpoint._meta.db_table
_GROUPS = Endpoint.groups.through._meta.db_table
_MEMBERS = User.groups.through._meta.db_table

# Written out, and in one with the endpoint, as every question asks it.
_ALL = f"""
    SELECT e.*, %s = 1
        OR NOT EXISTS (SELECT 1 FROM {_GROUPS} g WHERE g.endpoint_id = e.id)
        OR EXISTS (
            SELECT 1 FROM {_GROUPS} g JOIN {_MEMBERS} m ON m.group_id = g.group_id
            WHERE g.endpoint_id = e.id AND m.user_id = %s
        ) AS is_granted
    FROM {_TABLE} e ORDER BY e.position, e.name
"""
_ONE = _ALL.replace("ORDER BY e.position, e.name", "WHERE e.id = %s")
