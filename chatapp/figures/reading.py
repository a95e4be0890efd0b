"""What the pages ask: figures of finished hours and days as they are stored, and beside them what
has ended since, counted at once."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models.functions import Now
from django.utils import timezone

from chatapp.figures.counting import (
    DAY,
    HOUR,
    day_of,
    days,
    ended,
    hour_of,
    hours,
    stored_hours,
    usage,
)
from chatapp.models import FigureClock, HealthFigure, UsageFigure
from chatapp.models.figures import BEGINNING, Period

# The most that a page counts by itself: the hour that goes on, and the one before until it is
# stored.
_COUNTED_AT_ONCE = 2 * HOUR


@dataclass(frozen=True, slots=True)
class Clock:
    """The database's time, and until when figures are made."""

    now: datetime
    until: datetime

    @property
    def rest(self) -> datetime:
        """From here on a page counts by itself."""
        until = min(self.until, hour_of(self.now))  # later only by a clock that was ahead
        return max(until, hour_of(self.now + HOUR) - _COUNTED_AT_ONCE)

    @property
    def is_behind(self) -> bool:
        """Whether hours between the stored figures and the rest are missing, as after the first
        start on a database with much in it."""
        return self.rest > self.until


def clock() -> Clock:
    found = FigureClock.objects.annotate(now=Now()).filter(pk=1).first()
    return Clock(found.now, found.until) if found else Clock(timezone.now(), BEGINNING)


def by_hour(since: datetime, clock: Clock) -> list[HealthFigure]:
    """Of each hour from `since` on in which anything ended, the one that goes on among them."""
    stored = stored_hours(since).defer("samples")
    return [*stored, *_since_then(clock, _recent(clock))]


def by_day(since: datetime, clock: Clock) -> list[HealthFigure]:
    """Of each day from `since` on, today as far as it has come."""
    stored = list(HealthFigure.objects.filter(period=Period.DAY, start__gte=since))
    recent = _recent(clock)
    over = {figure.start for figure in stored}
    going_on = [figure for figure in recent if day_of(figure.start) not in over]
    fresh = days([*going_on, *_since_then(clock, recent)])
    return stored + [figure for figure in fresh if figure.start >= since]


def usage_since(clock: Clock, first: date, last: date) -> list[UsageFigure]:
    """What the stored usage of those days lacks."""
    return [figure for figure in usage(ended(clock.rest)) if first <= figure.day <= last]


def _since_then(clock: Clock, recent: Iterable[HealthFigure]) -> list[HealthFigure]:
    return hours(ended(clock.rest), recent)


def _recent(clock: Clock) -> list[HealthFigure]:
    """The stored hours of yesterday and today, with their samples."""
    return list(stored_hours(day_of(clock.now - DAY)))
