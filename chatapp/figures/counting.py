"""A stretch of time → what ended in it, counted by hour and endpoint, and by day and person."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from django.db.models import Count, F, QuerySet, Sum
from django.db.models.functions import Coalesce, TruncDate

from chatapp.figures.cold import cold_among
from chatapp.figures.tally import COLUMNS, Ending, Tally, joined
from chatapp.models import HealthFigure, Message, Role, UsageFigure
from chatapp.models.figures import Period

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


class Key(NamedTuple):
    start: datetime
    endpoint_name: str


def hour_of(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def day_of(at: datetime) -> datetime:
    return hour_of(at).replace(hour=0)


def ended(since: datetime, until: datetime | None = None) -> QuerySet[Message]:
    """Replies that were made here and ended in that time, in no order; copies and imports have no
    owner."""
    rows = Message.objects.order_by().filter(finished_at__gte=since, owner__gt="")
    rows = rows.filter(role=Role.ASSISTANT)
    return rows if until is None else rows.filter(finished_at__lt=until)


def hours(rows: QuerySet[Message], before: Iterable[HealthFigure]) -> list[HealthFigure]:
    """The figures of each hour and endpoint, with their samples, none of them stored.

    `before` are those of the day before the first of these hours, with theirs.
    """
    by_hour: defaultdict[datetime, list[Ending]] = defaultdict(list)
    for row in rows.values_list(*COLUMNS, "seams"):
        ending = Ending._make([*row[:-1], bool(row[-1])])
        by_hour[hour_of(ending.finished_at)].append(ending)
    figures = list(before)
    known = len(figures)
    for start, endings in sorted(by_hour.items()):
        figures += _hour(start, endings, figures)
    return figures[known:]


def days(hours: Iterable[HealthFigure]) -> list[HealthFigure]:
    """What hours with their samples are together, for each day and endpoint; without samples."""
    by_day: defaultdict[Key, list[HealthFigure]] = defaultdict(list)
    for hour in hours:
        by_day[Key(day_of(hour.start), hour.endpoint_name)].append(hour)
    return [joined(found).figure(Period.DAY, *key) for key, found in sorted(by_day.items())]


def stored_hours(since: datetime, until: datetime | None = None) -> QuerySet[HealthFigure]:
    figures = HealthFigure.objects.filter(period=Period.HOUR, start__gte=since)
    return figures if until is None else figures.filter(start__lt=until)


def usage(rows: QuerySet[Message]) -> list[UsageFigure]:
    """What each person had from each endpoint on each day, none of it stored."""
    keys = rows.values(
        "endpoint_name",
        day=TruncDate("finished_at", tzinfo=UTC),
        user_id=F("conversation__owner"),
    )
    found = keys.annotate(
        replies=Count("pk"), taken=_uncounted("input_tokens"), given=_uncounted("output_tokens")
    )
    return [
        UsageFigure(
            day=row["day"],
            user_id=row["user_id"],
            endpoint_name=row["endpoint_name"],
            messages=row["replies"],
            input_tokens=row["taken"],
            output_tokens=row["given"],
        )
        for row in found
    ]


def _uncounted(column: str) -> Coalesce:
    """Of a reply that was continued when it had been counted, only what came since."""
    return Coalesce(Sum(F(column) - Coalesce(F(f"counted_{column}"), 0)), 0)


def _hour(
    start: datetime, endings: list[Ending], before: Iterable[HealthFigure]
) -> list[HealthFigure]:
    cold = cold_among(endings, _known_times(f for f in before if start - DAY <= f.start < start))
    tallies: defaultdict[str, Tally] = defaultdict(Tally)
    for ending in endings:
        tallies[ending.endpoint_name].add(ending, is_cold=ending in cold)
    return [_figure(Key(start, name), tally) for name, tally in sorted(tallies.items())]


def _known_times(figures: Iterable[HealthFigure]) -> dict[str, list[float]]:
    """First-token times by endpoint, without those of cold starts."""
    known: defaultdict[str, list[float]] = defaultdict(list)
    for figure in figures:
        known[figure.endpoint_name] += figure.samples.get("first_ms", [])
    return known


def _figure(key: Key, tally: Tally) -> HealthFigure:
    figure = tally.figure(Period.HOUR, *key)
    figure.samples = tally.samples
    return figure
