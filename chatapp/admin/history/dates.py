"""Years, months and days → spans of time, and the links from one to the next.

The days that are offered are all between the first and the last activity: to look at every row for
the days that have one would take longer than all the rest of the page.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.contrib.admin import ListFilter
from django.contrib.admin.views.main import ChangeList
from django.db.models import Max, Min, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from chatapp.admin.history.links import hidden_inputs
from chatapp.errors import InvalidInput
from chatapp.models import Conversation, Summary

_WHEN = re.compile(r"(\d{4})(?:-(\d\d))?(?:-(\d\d))?", re.ASCII)
_A_DAY = timedelta(days=1)
_FORMATS = ("Y", "F Y", gettext_lazy("j F Y"))


@dataclass(frozen=True, slots=True)
class Span:
    """A year, a month or a day: `level` 0, 1 or 2."""

    first: date
    level: int

    @property
    def after(self) -> date:
        """The day after its last."""
        if self.level == 2:
            return self.first + _A_DAY
        days = 366 if self.level == 0 else 31
        beyond = self.first + timedelta(days=days)
        return beyond.replace(day=1, month=1 if self.level == 0 else beyond.month)

    @property
    def last(self) -> date:
        return self.after - _A_DAY

    @property
    def title(self) -> str:
        return date_format(self.first, str(_FORMATS[self.level]))

    def __str__(self) -> str:
        return self.first.isoformat()[: (4, 7, 10)[self.level]]

    def around(self) -> "Span | None":
        """What it is a part of."""
        return span_of(self.first, self.level - 1) if self.level else None

    def parts(self, first: date, last: date) -> "Iterator[Span]":
        """Its months or days between two days, the newest first."""
        return spans(max(self.first, first), min(self.last, last), self.level + 1)


def span_of(day: date, level: int) -> Span:
    """The year, month or day that `day` is in."""
    return Span(
        day.replace(day=day.day if level == 2 else 1, month=day.month if level else 1), level
    )


def spans(first: date, last: date, level: int) -> Iterator[Span]:
    """All that touch the days from `first` to `last`, the newest first."""
    span = span_of(last, level)
    while span.after > first:
        yield span
        span = span_of(span.first - _A_DAY, level)


def parsed(when: str) -> Span:
    """`2026`, `2026-11` or `2026-11-21`. Raises InvalidInput."""
    found = _WHEN.fullmatch(when)
    try:
        if found is None or not "1970" <= when < "9999":
            raise ValueError(when)
        year, month, day = found.groups()
        first = date(int(year), int(month or 1), int(day or 1))
    except ValueError:
        raise InvalidInput(
            _("“%(when)s” is no date: write 2026, 2026-11 or 2026-11-21.") % {"when": when[:40]}
        ) from None
    return Span(first, 2 if day else 1 if month else 0)


@dataclass(frozen=True, slots=True)
class Step:
    """One link of the hierarchy; where it leads nowhere one is there already."""

    title: str
    link: str = ""


class DateFilter(ListFilter):
    """`when` is a year, a month or a day; `from` and `to` are the first day and the last."""

    title = gettext_lazy("last activity")
    template = "admin/chatapp/conversation/_date_filter.html"

    def __init__(
        self, request: HttpRequest, params: dict[str, Any], model: type, model_admin: Any
    ) -> None:
        super().__init__(request, params, model, model_admin)
        for name in self.expected_parameters():
            if name in params:
                self.used_parameters[name] = params.pop(name)[-1]
        self._span = self._limit("when")
        self.first, self.last = self._limit("from"), self._limit("to")

    def has_output(self) -> bool:
        return True

    def expected_parameters(self) -> list[str | None]:
        return ["when", "from", "to"]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Conversation]
    ) -> QuerySet[Conversation]:
        if self._span:
            queryset = _between(queryset, self._span.first, self._span.after)
        first = self.first.first if self.first else None
        return _between(queryset, first, self.last.after if self.last else None)

    def choices(self, changelist: ChangeList) -> Iterator[dict[str, Any]]:
        yield {"hidden": hidden_inputs(changelist, "when", "from", "to")}

    def said(self) -> Iterator[tuple[str, str]]:
        """What is chosen, if anything is."""
        words = {_("from"): self.first, _("to"): self.last, self.title: self._span}
        yield from ((str(word), span.title) for word, span in words.items() if span)

    def back(self, changelist: ChangeList) -> Step | None:
        """One step up from what is chosen."""
        if self._span is None:
            return None
        around = self._span.around()
        title = around.title if around else _("All dates")
        return Step(title, _link(changelist, around))

    def steps(self, changelist: ChangeList) -> list[Step]:
        """What lies below it; the day itself if nothing does."""
        if self._span and self._span.level == 2:
            return [Step(self._span.title)]
        known = Summary.objects.aggregate(first=Min("active_at"), last=Max("active_at"))
        if known["first"] is None:
            return []
        first, last = (timezone.localtime(known[name]).date() for name in ("first", "last"))
        parts = self._span.parts(first, last) if self._span else spans(first, last, 0)
        return [Step(span.title, _link(changelist, span)) for span in parts]

    def _limit(self, name: str) -> Span | None:
        text = self._text(name)
        return parsed(text) if text else None

    def _text(self, name: str) -> str:
        return str(self.used_parameters.get(name, ""))


def _link(changelist: ChangeList, when: Span | None) -> str:
    return changelist.get_query_string({"when": when}, ["when", "from", "to"])


def _between(
    queryset: QuerySet[Conversation], first: date | None, after: date | None
) -> QuerySet[Conversation]:
    if first:
        queryset = queryset.filter(summary__active_at__gte=_midnight(first))
    if after:
        queryset = queryset.filter(summary__active_at__lt=_midnight(after))
    return queryset


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time()))
