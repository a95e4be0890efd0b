"""Figures of endpoints → the page of their health: charts of one, and the table under them."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property, partial
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_safe

from chatapp.admin.operations.access import HEALTH, OPERATE, for_those_who_may, page
from chatapp.admin.operations.charts import Chart, Series, Slot, Values, number
from chatapp.database import read
from chatapp.errors import Kind
from chatapp.figures import reading
from chatapp.figures.cold import LEAST_MS, SILENCE, TIMES_THE_USUAL
from chatapp.figures.counting import DAY, HOUR, day_of, hour_of
from chatapp.locales import counted
from chatapp.models import HealthFigure

_MOST_KINDS = 5
_LOOKS = ("kind-1", "kind-2", "kind-3", "kind-4", "kind-5")


_KIND_NAMES: Mapping[str, Any] = {
    Kind.BAD_REQUEST: gettext_lazy("bad request"),
    Kind.AUTH: gettext_lazy("key refused"),
    Kind.BILLING: gettext_lazy("no credit"),
    Kind.NOT_FOUND: gettext_lazy("not found"),
    Kind.TIMEOUT: gettext_lazy("timeout"),
    Kind.RATE_LIMIT: gettext_lazy("rate limit"),
    Kind.OVERLOADED: gettext_lazy("overloaded"),
    Kind.SERVER: gettext_lazy("server error"),
    Kind.NETWORK: gettext_lazy("connection lost"),
    Kind.CUT: gettext_lazy("cut short"),
    Kind.PROTOCOL: gettext_lazy("malformed answer"),
}


@dataclass(frozen=True, slots=True)
class Span:
    """What a page looks back on: so many hours or days, up to now."""

    key: str
    title: Any
    count: int
    step: timedelta
    ticks: int

    def starts(self, now: datetime) -> list[datetime]:
        last = hour_of(now) if self.step == HOUR else day_of(now)
        return [last - self.step * (self.count - 1 - i) for i in range(self.count)]

    def figures(self, since: datetime, clock: reading.Clock) -> list[HealthFigure]:
        return (reading.by_hour if self.step == HOUR else reading.by_day)(since, clock)

    def slots(self, starts: Sequence[datetime]) -> list[Slot]:
        return [self._slot(i, start) for i, start in enumerate(starts)]

    def _slot(self, i: int, start: datetime) -> Slot:
        day = date_format(start, _("j M"))
        if self.step == HOUR:
            tick = (day if start.hour == 0 else f"{start:%H:%M}") if start.hour % 6 == 0 else ""
            return Slot(f"{day}, {start:%H:%M}–{start + HOUR:%H:%M}", tick, start.hour % 12 == 0)
        back = self.count - 1 - i
        has_tick = back % self.ticks == self.ticks // 2
        return Slot(day, day if has_tick else "", back % (2 * self.ticks) < self.ticks)


SPANS = {
    span.key: span
    for span in (
        Span("hours", gettext_lazy("48 hours"), 48, HOUR, 6),
        Span("month", gettext_lazy("30 days"), 30, DAY, 5),
        Span("quarter", gettext_lazy("90 days"), 90, DAY, 15),
    )
}


@require_safe
@for_those_who_may(HEALTH, OPERATE)
async def health(request: HttpRequest) -> HttpResponseBase:
    return await read(_health, request)


def _health(request: HttpRequest) -> HttpResponse:
    span = SPANS.get(request.GET.get("span", ""), SPANS["hours"])
    clock = reading.clock()
    starts = span.starts(clock.now)
    figures = [f for f in span.figures(starts[0], clock) if f.start <= starts[-1]]
    endpoints = sorted(_totals(figures).values(), key=lambda total: -total.requests)
    names = [total.name for total in endpoints]
    name = request.GET.get("endpoint", "")
    name = name if name in names or not names else names[0]
    board = Board(name, span, starts, {f.start: f for f in figures if f.endpoint_name == name})
    return page(
        request,
        "health.html",
        _("Endpoint health"),
        span=span,
        spans=SPANS.values(),
        endpoints=endpoints,
        board=board if names else None,
        behind=clock.until if clock.is_behind else None,
        silence_min=SILENCE // timedelta(minutes=1),
        times=TIMES_THE_USUAL,
        least_s=number(LEAST_MS / 1000),
    )


@dataclass(slots=True)
class Total:
    """One endpoint's counts of the whole span; percentiles of it there are none but by slot."""

    name: str
    requests: int = 0
    failed: int = 0
    stopped: int = 0
    interrupted: int = 0
    cold: int = 0

    @property
    def failed_percent(self) -> str:
        return _share(self.failed, self.requests)

    @property
    def stopped_percent(self) -> str:
        return _share(self.stopped, self.requests)


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table: what a figure says, in words."""

    name: str
    figure: HealthFigure

    @property
    def errors(self) -> str:
        return ", ".join(f"{kind_name(kind)} {n}" for kind, n in self.figure.errors.items())

    @property
    def stopped_percent(self) -> str:
        return _share(self.figure.stopped, self.figure.requests)

    @property
    def times(self) -> list[str]:
        """First token, tokens a second and first token after cold starts, as columns."""
        figure = self.figure
        times = (figure.first_p50_ms, figure.first_p95_ms)
        rates = (figure.rate_p50, figure.rate_p95)
        return [*map(_seconds, times), *("" if r is None else counted(r, 1) for r in rates)]

    @property
    def cold_time(self) -> str:
        return _seconds(self.figure.cold_p50_ms)


class Board:
    """One endpoint's charts and rows."""

    def __init__(
        self,
        name: str,
        span: Span,
        starts: Sequence[datetime],
        figures: Mapping[datetime, HealthFigure],
    ) -> None:
        self.name = name
        self._figures = [figures.get(start) for start in starts]
        self._slots = span.slots(starts)

    @property
    def rows(self) -> list["Row"]:
        """The slots in which anything ended, the latest first."""
        pairs = zip(self._slots, self._figures, strict=True)
        return [Row(slot.name, figure) for slot, figure in pairs if figure is not None][::-1]

    @cached_property
    def charts(self) -> list[Chart]:
        return [
            self._requests(),
            self._first_token(),
            self._rates(),
            self._failures(),
            self._stops(),
            self._cold(),
        ]

    def _requests(self) -> Chart:
        series = [
            Series(_("complete"), "complete", self._values(lambda f: f.complete)),
            Series(_("stopped"), "stopped", self._values(lambda f: f.stopped)),
            Series(_("failed"), "failed", self._values(lambda f: f.failed)),
            Series(_("interrupted"), "interrupted", self._values(lambda f: f.interrupted)),
        ]
        total = sum(figure.requests for figure in self._figures if figure)
        said = ngettext("%(count)s request in all.", "%(count)s requests in all.", total)
        return self._chart("requests", _("Requests"), "", said % {"count": total}, series)

    def _first_token(self) -> Chart:
        """In seconds, or milliseconds while all are short."""
        p50, p95 = self._values(lambda f: f.first_p50_ms), self._values(lambda f: f.first_p95_ms)
        is_long = max((value or 0 for value in p95), default=0) >= 2000
        scale, unit = (1000, _("s")) if is_long else (1, _("ms"))
        return self._percentiles("first", _("Time to first token"), unit, p50, p95, scale)

    def _rates(self) -> Chart:
        p50, p95 = self._values(lambda f: f.rate_p50), self._values(lambda f: f.rate_p95)
        return self._percentiles("rate", _("Speed"), _("tokens/s"), p50, p95)

    def _failures(self) -> Chart:
        kinds: Counter[str] = Counter()
        for figure in self._figures:
            kinds.update(figure.errors if figure else {})
        shown = [kind for kind, _count in kinds.most_common(_MOST_KINDS)]
        if len(kinds) > _MOST_KINDS:
            shown.pop()
        series = [
            Series(kind_name(kind), look, self._values(partial(_errors_of, kinds={kind})))
            for kind, look in zip(shown, _LOOKS, strict=False)
        ]
        if rest := kinds.keys() - set(shown):
            values = self._values(partial(_errors_of, kinds=rest))
            series.append(Series(_("other"), _LOOKS[-1], values))
        told = ", ".join(f"{kind_name(kind)} {count}" for kind, count in kinds.most_common())
        return self._chart("failures", _("Failures by kind"), "", told or _("None."), series)

    def _stops(self) -> Chart:
        values = self._values(lambda f: 100 * f.stopped / f.requests)
        series = [Series(_("stopped"), "stopped", values)]
        most = max((value or 0 for value in values), default=0)
        said = _("At most %(most)s %%.") % {"most": number(most)}
        return self._chart("stops", _("Stopped by people"), "%", said, series)

    def _cold(self) -> Chart:
        series = [Series(_("cold starts"), "cold", self._values(lambda f: f.cold))]
        times = [f.cold_p50_ms for f in self._figures if f and f.cold_p50_ms]
        longest = _("The longest median wait was %(time)s s.") % {
            "time": number(max(times, default=0) / 1000)
        }
        return self._chart("cold", _("Cold starts"), "", longest if times else _("None."), series)

    def _percentiles(
        self, key: str, title: str, unit: str, p50: Values, p95: Values, scale: float = 1
    ) -> Chart:
        scaled = [[v if v is None else v / scale for v in values] for values in (p50, p95)]
        series = [Series("p50", "p50", scaled[0]), Series("p95", "p95", scaled[1])]
        latest = next((i for i in reversed(range(len(p50))) if p50[i] is not None), None)
        said = _("No traffic.")
        if latest is not None:
            said = _("Latest, %(when)s: p50 %(p50)s, p95 %(p95)s %(unit)s.") % {
                "when": self._slots[latest].name,
                "p50": number(scaled[0][latest] or 0),
                "p95": number(scaled[1][latest] or 0),
                "unit": unit,
            }
        return self._chart(key, title, unit, said, series, is_stacked=False)

    def _chart(
        self,
        key: str,
        title: str,
        unit: str,
        summary: str,
        series: Sequence[Series],
        *,
        is_stacked: bool = True,
    ) -> Chart:
        return Chart(key, title, unit, summary, self._slots, series, is_stacked)

    def _values(self, value: Callable[[HealthFigure], float | None]) -> Values:
        return [value(figure) if figure else None for figure in self._figures]


def kind_name(kind: str) -> str:
    return str(_KIND_NAMES.get(kind, kind))


def _errors_of(figure: HealthFigure, kinds: Set[str]) -> int:
    return sum(count for kind, count in figure.errors.items() if kind in kinds)


def _totals(figures: Sequence[HealthFigure]) -> dict[str, Total]:
    totals: dict[str, Total] = {}
    for figure in figures:
        total = totals.setdefault(figure.endpoint_name, Total(figure.endpoint_name))
        total.requests += figure.requests
        total.failed += figure.failed
        total.stopped += figure.stopped
        total.interrupted += figure.interrupted
        total.cold += figure.cold
    return totals


def _share(part: int, whole: int) -> str:
    return f"{counted(100 * part / whole, 1)} %" if whole else ""


def _seconds(ms: float | None) -> str:
    return "" if ms is None else counted(ms / 1000, 2)
