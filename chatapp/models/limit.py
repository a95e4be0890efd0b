"""How much a person may ask for, and how much they have asked for."""

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models
from django.utils.translation import gettext_lazy as _


class Limit(models.Model):
    """The limits of one person or of everyone in one group. An empty one is unlimited, 0 is none.

    A person's own row counts alone; without one, of each limit the most generous of their groups;
    without these the service's defaults.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="+",
        verbose_name=_("person"),
    )
    group = models.OneToOneField(
        Group,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="+",
        verbose_name=_("group"),
    )
    prompts_a_minute = models.PositiveIntegerField(_("prompts a minute"), null=True, blank=True)
    parallel_replies = models.PositiveIntegerField(
        _("replies at a time"), null=True, blank=True, help_text=_("In all conversations together.")
    )
    tokens_a_day = models.PositiveBigIntegerField(
        _("tokens a day"),
        null=True,
        blank=True,
        help_text=_("Of prompts and replies together; days are those of UTC."),
    )
    tokens_a_month = models.PositiveBigIntegerField(_("tokens a month"), null=True, blank=True)

    class Meta:
        ordering = ["group__name", "user__username"]
        verbose_name = _("limit")
        verbose_name_plural = _("limits")
        constraints = [
            models.CheckConstraint(
                name="limit_of_a_person_or_a_group",
                condition=models.Q(user=None) ^ models.Q(group=None),
                violation_error_message=_("Choose a person or a group, one of the two."),
            )
        ]

    def __str__(self) -> str:
        return str(self.user or self.group or "")


class Usage(models.Model):
    """One person's counters; what there is to spend is reckoned from them.

    `prompts` are those of the minute that began at `minute_from`, seconds since 1970. The tokens
    are those of `day` and of the month that begins with `month`, both in UTC, of replies that have
    ended; a later day or month begins with none, and an earlier one never comes back. `running`
    and `reserved` are the replies in the making and the tokens that these may still cost. The row
    outlives its person: the service has spent these tokens.
    """

    person = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        primary_key=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="+",
        verbose_name=_("person"),
    )
    minute_from = models.BigIntegerField()
    prompts = models.IntegerField()
    day = models.DateField(_("day"))
    day_tokens = models.BigIntegerField(_("tokens of the day"))
    month = models.DateField(_("month"))
    month_tokens = models.BigIntegerField(_("tokens of the month"))
    running = models.IntegerField(_("replies in the making"))
    reserved = models.BigIntegerField(_("tokens reserved"))

    class Meta:
        ordering = ["-month", "-month_tokens"]
        verbose_name = _("use")
        verbose_name_plural = _("use")
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.person_id}"
