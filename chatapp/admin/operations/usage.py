"""Figures of people → the page of their usage, by user, endpoint or day, and the same as CSV."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, timedelta
from functools import partial
from itertools import islice
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.db.models import Count, QuerySet, Sum
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.dateparse import parse_date
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from chatapp.admin.operations.access import OPERATE, USAGE, for_those_who_may, page
from chatapp.admin.operations.charts import Chart, Series, Slot
from chatapp.database import read, write
from chatapp.figures import reading
from chatapp.locales import counted
from chatapp.models import UsageFigure
from chatapp.models.audit import Action
from chatapp.oversight import audit
from chatapp.transfer.csv_cells import BYTE_ORDER_MARK, csv_row
from chatapp.transfer.slices import in_slices

FIRST_DAYS = timedelta(days=29)
_MOST_DAYS = timedelta(days=366)
_EARLIEST = date(2020, 1, 1)
_MOST_BARS = 92
_ROWS = 100
_ROWS_AT_ONCE = 2000
_MANY = 500
SORTS = ("name", "messages", "input_tokens", "output_tokens")
GROUPS: dict[str, Any] = {
    "user": gettext_lazy("User"),
    "endpoint": gettext_lazy("Endpoint"),
    "day": gettext_lazy("Day"),
}
_BY: dict[str, Any] = {
    "user": gettext_lazy("By user"),
    "endpoint": gettext_lazy("By endpoint"),
    "day": gettext_lazy("By day"),
}
_COLUMNS = {"user": "user", "endpoint": "endpoint_name", "day": "day"}


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: of which days, people and endpoints, in which groups and which order.

    Nonsense in the address counts as not said.
    """

    first: date
    last: date
    by: str = "user"
    sort: str = "-output_tokens"
    user: int | None = None
    endpoint: str = ""

    @classmethod
    def of(cls, asked: dict[str, str], today: date) -> "Question":
        last = min(max(_date(asked.get("last")) or today, _EARLIEST), today)
        first = min(_date(asked.get("first")) or last - FIRST_DAYS, last)
        by, sort, user = asked.get("by", ""), asked.get("sort", ""), asked.get("user", "")
        is_known = sort.removeprefix("-") in SORTS
        by = by if by in GROUPS else "user"
        return cls(
            max(first, last - _MOST_DAYS),
            last,
            by,
            sort if is_known else ("-name" if by == "day" else "-output_tokens"),
            int(user) if user.isascii() and user.isdecimal() and len(user) < 10 else None,
            asked.get("endpoint", "").replace("\0", ""),
        )

    def address(self, **changes: Any) -> str:
        """The same with changes, as the page's link."""
        asked = replace(self, **changes)
        named = {name: getattr(asked, name) for name in self.__slots__}
        return "?" + urlencode({name: value for name, value in named.items() if value})

    def stored(self) -> QuerySet[UsageFigure]:
        figures = UsageFigure.objects.filter(day__range=(self.first, self.last))
        if self.user is not None:
            figures = figures.filter(user=self.user)
        return figures.filter(endpoint_name=self.endpoint) if self.endpoint else figures

    def fits(self, figure: UsageFigure) -> bool:
        is_theirs = self.user in (None, figure.user_id)
        return is_theirs and self.endpoint in ("", figure.endpoint_name)


@dataclass(slots=True)
class Line:
    """A line of the table; `key` is a person's number, an endpoint's name or a day."""

    key: Any
    name: str = ""
    messages: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    link: str = ""

    def add(self, messages: int, input_tokens: int, output_tokens: int) -> None:
        self.messages += messages
        self.input_tokens += input_tokens
        self.output_tokens += output_tokens


@dataclass(slots=True)
class Lines:
    """Stored figures and those since then, added up by one of the columns."""

    by: str
    found: dict[Any, Line] = field(default_factory=dict)

    def add(self, stored: QuerySet[UsageFigure], fresh: Iterable[UsageFigure]) -> "Lines":
        column = _COLUMNS[self.by]
        sums = (Sum("messages"), Sum("input_tokens"), Sum("output_tokens"))
        for key, *counts in stored.order_by().values_list(column).annotate(*sums):
            self._line(key).add(*counts)
        for figure in fresh:
            key = figure.user_id if self.by == "user" else getattr(figure, column)
            self._line(key).add(figure.messages, figure.input_tokens, figure.output_tokens)
        return self

    def _line(self, key: Any) -> Line:
        return self.found.setdefault(key, Line(key))

    def in_order(self, sort: str) -> list[Line]:
        """Those with equal values by name; a day's name is its date."""
        column = sort.removeprefix("-")
        by_name = (lambda line: line.key) if self.by == "day" else (lambda line: line.name.lower())
        lines = sorted(self.found.values(), key=by_name)
        if column != "name":
            lines.sort(key=lambda line: getattr(line, column), reverse=sort.startswith("-"))
        elif sort.startswith("-"):
            lines.reverse()
        return lines


@require_safe
@for_those_who_may(USAGE, OPERATE)
async def usage(request: HttpRequest) -> HttpResponseBase:
    return await read(_usage, request)


@require_safe
@for_those_who_may(USAGE, OPERATE)
async def usage_csv(request: HttpRequest) -> HttpResponseBase:
    """Every day, user and endpoint of the range in a line of their own."""
    clock = await read(reading.clock)
    question = Question.of(request.GET.dict(), clock.now.astimezone(UTC).date())
    await write(partial(audit.record, request, Action.EXPORT, usage=question.address()))
    response = StreamingHttpResponse(
        in_slices(_csv(question, clock)), content_type="text/csv; charset=utf-8"
    )
    name = f"usage-{question.first}-{question.last}{'-incomplete' * clock.is_behind}.csv"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _usage(request: HttpRequest) -> HttpResponse:
    clock = reading.clock()
    question = Question.of(request.GET.dict(), clock.now.astimezone(UTC).date())
    fresh = list(filter(question.fits, reading.usage_since(clock, question.first, question.last)))
    lines = _named(Lines(question.by).add(question.stored(), fresh), question)
    paginator = Paginator(lines, _ROWS)
    total = Line(None)
    for line in lines:
        total.add(line.messages, line.input_tokens, line.output_tokens)
    return page(
        request,
        "usage.html",
        _("Usage"),
        question=question,
        who=_name_of_person(user, _names([user])) if (user := question.user) else "",
        groups=[(key, name, question.address(by=key, sort="")) for key, name in _BY.items()],
        heads=_heads(question),
        lines=paginator.get_page(request.GET.get("p")),
        total=total,
        chart=_chart(question, fresh),
        behind=clock.until if clock.is_behind else None,
        all=question.address(user=None, endpoint=""),
    )


def _named(lines: Lines, question: Question) -> list[Line]:
    """In order, each with its name and the link to what it consists of."""
    names = _names(lines.found.keys()) if lines.by == "user" else {}
    for line in lines.found.values():
        line.name, changes = _NAMING[lines.by](line.key, names)
        line.link = question.address(sort="", **changes)
    return lines.in_order(question.sort)


def _name_of_person(user_id: Any, names: Mapping[int, str]) -> str:
    return names.get(user_id) or _("deleted user %(number)s") % {"number": user_id}


# A group → the name of a line, and how the question goes on from there.
Naming = Callable[[Any, Mapping[int, str]], tuple[str, dict[str, Any]]]
_NAMING: dict[str, Naming] = {
    "user": lambda key, names: (_name_of_person(key, names), {"user": key, "by": "day"}),
    "endpoint": lambda key, _names: (key or _("(none)"), {"endpoint": key, "by": "user"}),
    "day": lambda key, _names: (
        date_format(key, _("j M Y")),
        {"first": key, "last": key, "by": "user"},
    ),
}


def _names(user_ids: Collection[int]) -> dict[int, str]:
    """Of many the names are found sooner by reading everybody's."""
    people = User.objects.all()
    if len(user_ids) < _MANY:
        people = people.filter(pk__in=user_ids)
    return dict(people.values_list("pk", "username"))


def _heads(question: Question) -> list[dict[str, Any]]:
    """Heads of columns: a click sorts by it, the other way round if it already does."""
    names = {
        "name": GROUPS[question.by],
        "messages": _("Messages"),
        "input_tokens": _("Input tokens"),
        "output_tokens": _("Output tokens"),
    }
    heads = []
    for column, name in names.items():
        is_sorted = question.sort.removeprefix("-") == column
        is_descending = question.sort.startswith("-")
        falls_first = column != "name"
        wanted = not is_descending if is_sorted else falls_first
        heads.append(
            {
                "name": name,
                "column": column,
                "address": question.address(sort=f"-{column}" if wanted else column),
                "order": ("descending" if is_descending else "ascending") if is_sorted else "",
            }
        )
    return heads


def _chart(question: Question, fresh: list[UsageFigure]) -> Chart | None:
    """Tokens by day, unless there would be more bars than can be told apart."""
    days = (question.last - question.first).days + 1
    if not 1 < days <= _MOST_BARS:
        return None
    found = Lines("day").add(question.stored(), fresh).found
    dates = [question.first + timedelta(days=i) for i in range(days)]
    lines = [found.get(day) for day in dates]
    every = max(1, days // 6)
    slots = [
        Slot(
            date_format(day, _("j M")),
            date_format(day, _("j M")) if i % every == every // 2 else "",
            i % (2 * every) == every // 2,
        )
        for i, day in enumerate(dates)
    ]
    series = [
        Series(_("input"), "input", [line.input_tokens if line else None for line in lines]),
        Series(_("output"), "output", [line.output_tokens if line else None for line in lines]),
    ]
    total = sum(line.input_tokens + line.output_tokens for line in found.values())
    said = _("%(total)s tokens in all.") % {"total": counted(total)}
    return Chart("tokens", _("Tokens by day"), _("tokens"), said, slots, series)


def _csv(question: Question, clock: reading.Clock) -> Iterator[bytes]:
    """A few days at a time, so that memory stays flat."""
    fresh = list(filter(question.fits, reading.usage_since(clock, question.first, question.last)))
    names = dict(User.objects.values_list("pk", "username"))
    head = ["day", "user", "endpoint", "messages", "input tokens", "output tokens"]
    yield (BYTE_ORDER_MARK + csv_row(head)).encode()
    for first, last in _stretches(question, fresh):
        rows = iter(_between(question, first, last, fresh))
        while some := list(islice(rows, _ROWS)):
            yield "".join(csv_row(_cells(row, names)) for row in some).encode()


def _stretches(question: Question, fresh: Iterable[UsageFigure]) -> Iterator[tuple[date, date]]:
    """First and last days that have some `_ROWS_AT_ONCE` rows together, or one day with more."""
    rows = Counter(figure.day for figure in fresh)
    rows.update(dict(question.stored().order_by().values_list("day").annotate(Count("pk"))))
    some: list[date] = []
    for day in sorted(rows):
        if some and rows[day] + sum(rows[other] for other in some) > _ROWS_AT_ONCE:
            yield some[0], some[-1]
            some = []
        some.append(day)
    if some:
        yield some[0], some[-1]


def _between(
    question: Question, first: date, last: date, fresh: Iterable[UsageFigure]
) -> list[tuple[tuple[date, int, str], list[int]]]:
    """(day, user, endpoint) → messages, input and output tokens."""
    stored = question.stored().filter(day__range=(first, last)).order_by()
    columns = ("day", "user", "endpoint_name", "messages", "input_tokens", "output_tokens")
    found = {(day, user, name): counts for day, user, name, *counts in stored.values_list(*columns)}
    for figure in fresh:
        if first <= figure.day <= last:
            key = (figure.day, figure.user_id, figure.endpoint_name)
            counts = found.setdefault(key, [0, 0, 0])
            counts[0] += figure.messages
            counts[1] += figure.input_tokens
            counts[2] += figure.output_tokens
    return sorted(found.items())


def _cells(row: tuple[tuple[date, int, str], list[int]], names: Mapping[int, str]) -> list[Any]:
    (day, user, endpoint), counts = row
    return [day, _name_of_person(user, names), endpoint, *counts]


def _date(text: str | None) -> date | None:
    try:
        return parse_date(text or "")
    except ValueError:
        return None
