"""A person → what they have used, what is left of it and until when, as pages show it."""

import time
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import ngettext_lazy as _many

from chatapp.limits.allowances import Allowance, allowance_of, are_set
from chatapp.limits.counters import MINUTE_S, running_of, service_tokens
from chatapp.limits.refusals import Kind, moment_in_words, next_day, next_month
from chatapp.locales import counted
from chatapp.models import Usage

_LOW = 0.2


@dataclass(frozen=True, slots=True)
class Standing:
    """Of `most`, None for unlimited, so many are `used`; `until` are seconds since 1970, None where
    nothing begins anew."""

    kind: Kind
    used: int
    most: int | None
    until: int | None = None

    @property
    def title(self) -> str:
        return str(_TITLES[self.kind])

    @property
    def left(self) -> int | None:
        return None if self.most is None else max(0, self.most - self.used)

    @property
    def is_low(self) -> bool:
        """Whether so little is left that it matters; how many replies run, everybody sees."""
        if self.most is None or self.left is None or self.kind == Kind.PARALLEL:
            return False
        return self.left == 0 or self.left < self.most * _LOW

    @property
    def sentence(self) -> str:
        """One line near the composer."""
        words = {"left": counted(self.left or 0) if self.left else _("None"), "most": self.in_words}
        if not self.most or self.until is None:
            return _("%(left)s left of your %(most)s.") % words
        words["until"] = moment_in_words(self.until)
        return _("%(left)s left of your %(most)s until %(until)s.") % words

    @property
    def in_words(self) -> str:
        """The limit: “10 prompts a minute”."""
        return str(_LIMITS[self.kind] % {"count": self.most, "most": self.most_in_words})

    @property
    def most_in_words(self) -> str:
        return counted(self.most or 0)

    @property
    def used_in_words(self) -> str:
        return counted(self.used)

    @property
    def left_in_words(self) -> str:
        return counted(self.left or 0)

    @property
    def begins_anew(self) -> datetime | None:
        return None if self.until is None else datetime.fromtimestamp(self.until, UTC)


def standings_of(person_id: int) -> list[Standing]:
    """Of everything that can be limited; the service's own only where it has a limit."""
    allowed = allowance_of(person_id)
    usage = Usage.objects.filter(pk=person_id).first()
    now = int(time.time())
    today = datetime.fromtimestamp(now, UTC).date()
    day, month = today, today.replace(day=1)
    running, reserved = running_of(person_id)
    prompts = day_tokens = month_tokens = 0
    minute_until = None
    if usage is not None:
        # A clock that jumped back has not made an earlier day of the one that has begun.
        day_tokens = usage.day_tokens if usage.day >= day else 0
        month_tokens = usage.month_tokens if usage.month >= month else 0
        day, month = max(day, usage.day), max(month, usage.month)
        if now < usage.minute_from + MINUTE_S:
            prompts, minute_until = usage.prompts, usage.minute_from + MINUTE_S
    found = [
        Standing(Kind.PROMPTS, prompts, allowed.prompts_a_minute, minute_until),
        Standing(Kind.PARALLEL, running, allowed.parallel_replies),
        Standing(Kind.DAY, day_tokens + reserved, allowed.tokens_a_day, next_day(day)),
        Standing(Kind.MONTH, month_tokens + reserved, allowed.tokens_a_month, next_month(month)),
    ]
    return [*found, *service_standing()]


def service_standing() -> list[Standing]:
    """What everybody together used of the month, if that is limited."""
    most = settings.LIMIT_SERVICE_TOKENS_A_MONTH
    if most is None:
        return []
    month = datetime.now(UTC).date().replace(day=1)
    return [Standing(Kind.SERVICE, service_tokens(month), most, next_month(month))]


def in_words(allowed: Allowance) -> str:
    """All limits at once: “10 prompts a minute, 2 replies at a time”."""
    kinds = (Kind.PROMPTS, Kind.PARALLEL, Kind.DAY, Kind.MONTH)
    limits = zip(kinds, astuple(allowed), strict=True)
    words = [Standing(kind, 0, most).in_words for kind, most in limits if most is not None]
    return ", ".join(words) or _("no limits")


def lowest_of(person_id: int) -> Standing | None:
    """The one of which the smallest part is left, if that is little."""
    low = [one for one in standings_of(person_id) if one.is_low] if are_set() else []
    return min(low, key=lambda one: (one.left or 0) / (one.most or 1), default=None)


_TITLES = {
    Kind.PROMPTS: _lazy("Prompts in this minute"),
    Kind.PARALLEL: _lazy("Replies being written"),
    Kind.DAY: _lazy("Tokens today"),
    Kind.MONTH: _lazy("Tokens this month"),
    Kind.SERVICE: _lazy("Tokens of everybody this month"),
}
_LIMITS: dict[Kind, Any] = {
    Kind.PROMPTS: _many("%(most)s prompt a minute", "%(most)s prompts a minute", "count"),
    Kind.PARALLEL: _many("%(most)s reply at a time", "%(most)s replies at a time", "count"),
    Kind.DAY: _many("%(most)s token a day", "%(most)s tokens a day", "count"),
    Kind.MONTH: _many("%(most)s token a month", "%(most)s tokens a month", "count"),
    Kind.SERVICE: _many(
        "%(most)s token a month for everybody", "%(most)s tokens a month for everybody", "count"
    ),
}
