"""Hours that are over → their figures, stored once, an hour at a time; and a day's from its hours.

Any number of processes may do it: the hour is counted first, and stored with the move of the one
clock, which only one of them can make. The database's clock says what is over; if it was ahead,
the figures' clock goes back with it, and nothing is counted twice. A row that is written later than
`SETTLED` after its hour is not counted any more.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from chatapp.events import Usage
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
from chatapp.models.figures import BEGINNING

SETTLED = timedelta(minutes=2)
HOURS_ARE_KEPT = timedelta(days=4)


@dataclass(frozen=True, slots=True)
class Closing:
    """What is to be stored if the clock still stands at `since`."""

    since: datetime
    until: datetime
    health: list[HealthFigure]
    usage: list[UsageFigure]


def next_closing() -> Closing | None:
    """The next hour in which anything ended, counted; None if none is over. Reads only."""
    clock = FigureClock.objects.annotate(now=Now()).filter(pk=1).first()
    if clock is None:
        return Closing(BEGINNING, BEGINNING, [], [])
    if clock.until > hour_of(clock.now) + HOUR:
        return Closing(clock.until, _counted_until(clock.now), [], [])
    latest = hour_of(clock.now - SETTLED)
    if clock.until >= latest:
        return None
    ends = ended(clock.until, latest).order_by("finished_at")
    first = ends.values_list("finished_at", flat=True).first()
    if first is None:
        return Closing(clock.until, latest, [], [])
    start = hour_of(first)
    rows = ended(start, start + HOUR)
    health = hours(rows, stored_hours(start - DAY, start))
    return Closing(clock.until, start + HOUR, health, usage(rows))


def store(closing: Closing) -> bool:
    """Stores it, unless another process was quicker; whether it did."""
    with transaction.atomic():
        if closing.since == closing.until:  # there is no clock yet
            return FigureClock.objects.get_or_create(pk=1)[1]
        mine = FigureClock.objects.filter(pk=1, until=closing.since)
        if not mine.update(until=closing.until):
            return False
        if closing.until < closing.since:
            _take_back(closing.until)
        HealthFigure.objects.bulk_create(closing.health, ignore_conflicts=True)
        _add_usage(closing.usage)
        _store_days(closing)
    return True


def count_aside(person_id: int, endpoint_name: str, usage: Usage) -> None:
    """Adds the tokens of a call that made no reply, such as for a title, to today's."""
    if usage.input or usage.output:
        figure: dict[str, Any] = {
            "day": timezone.now().astimezone(UTC).date(),
            "user_id": person_id,
            "endpoint_name": endpoint_name,
        }
        UsageFigure.objects.get_or_create(**figure)
        UsageFigure.objects.filter(**figure).update(
            input_tokens=F("input_tokens") + (usage.input or 0),
            output_tokens=F("output_tokens") + (usage.output or 0),
        )


def _counted_until(now: datetime) -> datetime:
    """The end of the last hour that had begun and was counted, by a clock that was ahead; where
    none is known, this hour begins anew."""
    starts = stored_hours(BEGINNING, now).order_by("-start").values_list("start", flat=True)
    last = starts.first()
    return hour_of(now) if last is None else last + HOUR


def _take_back(until: datetime) -> None:
    """What was counted of later times is counted when they are over, and that day from its rows."""
    HealthFigure.objects.filter(start__gte=until).delete()
    UsageFigure.objects.filter(day__gte=until.date()).delete()
    _add_usage(usage(ended(day_of(until), until)))


def _add_usage(figures: list[UsageFigure]) -> None:
    """A day's row grows with each of its hours."""
    days = UsageFigure.objects.filter(day__in={figure.day for figure in figures})
    ids = {(f.day, f.user_id, f.endpoint_name): f.pk for f in days} if figures else {}
    new = []
    for figure in figures:
        pk = ids.get((figure.day, figure.user_id, figure.endpoint_name))
        if pk is None:
            new.append(figure)
        else:
            UsageFigure.objects.filter(pk=pk).update(
                messages=F("messages") + figure.messages,
                input_tokens=F("input_tokens") + figure.input_tokens,
                output_tokens=F("output_tokens") + figure.output_tokens,
            )
    UsageFigure.objects.bulk_create(new, batch_size=500)


def _store_days(closing: Closing) -> None:
    """Of the days that ended between the clock's old and new time."""
    today = day_of(closing.until)
    if today > closing.since:
        over = stored_hours(day_of(closing.since), today)
        HealthFigure.objects.bulk_create(days(over), ignore_conflicts=True)
        stored_hours(BEGINNING, today - HOURS_ARE_KEPT).delete()
