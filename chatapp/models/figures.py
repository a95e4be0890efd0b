"""What is kept of traffic once its hour is over: counts and times of endpoints, tokens of people.

Times are UTC's. A reply counts in the hour in which it ended. Nothing here changes when messages
are deleted afterwards.
"""

from datetime import UTC, datetime

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


class Period(models.TextChoices):
    HOUR = "hour", _("hour")
    DAY = "day", _("day")


class HealthFigure(models.Model):
    """How one endpoint served in one hour or day.

    The endpoint is told by the name that it had then. `errors` counts by kind. Times to the first
    token are milliseconds, without those of cold starts, which are apart; rates are tokens a
    second. Percentiles are those of single replies; an hour keeps what they were taken from in
    `samples`, as `Tally.samples`, until its day is made from it.
    """

    period = models.CharField(_("period"), max_length=4, choices=Period)
    start = models.DateTimeField(_("from"))
    endpoint_name = models.CharField(_("endpoint"), max_length=80, blank=True)
    requests = models.PositiveIntegerField(_("requests"), default=0)
    complete = models.PositiveIntegerField(_("complete"), default=0)
    stopped = models.PositiveIntegerField(_("stopped"), default=0)
    interrupted = models.PositiveIntegerField(_("interrupted"), default=0)
    errors = models.JSONField(_("errors"), default=dict, blank=True)
    first_p50_ms = models.FloatField(_("first token, p50"), null=True)
    first_p95_ms = models.FloatField(_("first token, p95"), null=True)
    rate_p50 = models.FloatField(_("tokens/s, p50"), null=True)
    rate_p95 = models.FloatField(_("tokens/s, p95"), null=True)
    cold = models.PositiveIntegerField(_("cold starts"), default=0)
    cold_p50_ms = models.FloatField(_("first token after a cold start, p50"), null=True)
    samples = models.JSONField(_("samples"), default=dict, blank=True)

    class Meta:
        ordering = ["start", "endpoint_name"]
        verbose_name = _("health figure")
        verbose_name_plural = _("health figures")
        constraints = [
            models.UniqueConstraint(
                fields=["period", "start", "endpoint_name"], name="health_figure_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.endpoint_name} {self.period} {self.start:%Y-%m-%d %H:%M}"

    @property
    def failed(self) -> int:
        return sum(self.errors.values())


class UsageFigure(models.Model):
    """What one person had from one endpoint on one day, as far as its hours are over.

    `messages` are the replies that ended, however they did. No name is kept: a person who is
    deleted leaves a number.
    """

    day = models.DateField(_("day"))
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="+",
        verbose_name=_("user"),
    )
    endpoint_name = models.CharField(_("endpoint"), max_length=80, blank=True)
    messages = models.PositiveIntegerField(_("messages"), default=0)
    input_tokens = models.PositiveBigIntegerField(_("input tokens"), default=0)
    output_tokens = models.PositiveBigIntegerField(_("output tokens"), default=0)

    class Meta:
        ordering = ["day", "user", "endpoint_name"]
        verbose_name = _("usage figure")
        verbose_name_plural = _("usage figures")
        constraints = [
            models.UniqueConstraint(
                fields=["day", "user", "endpoint_name"], name="usage_figure_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.user_id} {self.endpoint_name}"


class FigureClock(models.Model):
    """The one row that says until when figures are made; whoever moves it makes the next ones."""

    until = models.DateTimeField(_("until"), default=BEGINNING)

    class Meta:
        verbose_name = _("figures' clock")
        verbose_name_plural = _("figures' clocks")
        default_permissions = ()

    def __str__(self) -> str:
        return self.until.isoformat()
