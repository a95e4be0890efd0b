"""Values by time → a chart: SVG of our own, as wide as its place, whose looks are classes alone.

Widths are percentages and heights are pixels, so that a chart fills any width and its letters keep
their size. Axes begin at zero. Where there is no value there is a gap.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor, log10

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from chatapp.locales import counted

PLOT, TOP, BOTTOM = 150, 8, 24
_STEPS = 4
_BAR = 0.78

Values = Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Slot:
    """A stretch of time on the axis: its name, and what the axis says there, if anything.

    `is_major` is said on narrow screens too.
    """

    name: str
    tick: str = ""
    is_major: bool = False


@dataclass(frozen=True, slots=True)
class Series:
    """`look` is a class of the style sheet."""

    name: str
    look: str
    values: Values


@dataclass(frozen=True, slots=True)
class Chart:
    """`key` is part of ids and nobody else's on the page; `summary` says in words what is seen."""

    key: str
    title: str
    unit: str
    summary: str
    slots: Sequence[Slot]
    series: Sequence[Series]
    is_stacked: bool = True

    @property
    def svg(self) -> SafeString:
        axis = Axis(self._most, is_whole=self.is_stacked)
        marks = _bars(self.series, axis) if self.is_stacked else _lines(self.series, axis)
        return format_html(
            '<svg class="chart" role="img" aria-labelledby="{key}-title {key}-summary"'
            ' width="100%" height="{height}"><title id="{key}-title">{title}</title>'
            '<desc id="{key}-summary">{summary}</desc>{axes}{marks}{names}</svg>',
            key=self.key,
            height=TOP + PLOT + BOTTOM,
            title=self.title,
            summary=self.summary,
            axes=axis.svg(self.slots),
            marks=marks,
            names=self._names(),
        )

    @property
    def is_empty(self) -> bool:
        return not any(any(series.values) for series in self.series)

    @property
    def _most(self) -> float:
        if self.is_stacked:
            columns = zip(*(series.values for series in self.series), strict=True)
            return max((sum(value or 0 for value in column) for column in columns), default=0)
        return max((value or 0 for s in self.series for value in s.values), default=0)

    def _names(self) -> SafeString:
        """What is told of each slot under the pointer."""
        width = 100 / max(1, len(self.slots))
        rows = (
            (percent(i * width), TOP, percent(width), PLOT, slot.name, told)
            for i, slot in enumerate(self.slots)
            if (told := self._told(i))
        )
        rect = '<rect class="slot" x="{}" y="{}" width="{}" height="{}"><title>{}{}</title></rect>'
        return format_html_join("", rect, rows)

    def _told(self, at: int) -> str:
        values = ((series.name, series.values[at]) for series in self.series)
        told = [f"\n{name}: {number(value)} {self.unit}" for name, value in values if value]
        return "".join(told)


class Axis:
    """From zero to a round number at or above `most`, in at most four steps."""

    def __init__(self, most: float, *, is_whole: bool = False) -> None:
        self.step = _round_step(most / _STEPS, 1 if is_whole else 0)
        self.top = round(self.step * max(1, ceil(most / self.step - 1e-9)), 9)

    def y(self, value: float) -> float:
        """Pixels from the top of the chart."""
        return round(TOP + PLOT * (1 - value / self.top), 2)

    def svg(self, slots: Sequence[Slot]) -> SafeString:
        lines = format_html_join(
            "",
            '<line class="grid" x1="0" x2="100%" y1="{0}" y2="{0}"/>'
            '<text class="value" x="-8" y="{0}">{1}</text>',
            ((self.y(value), number(value)) for value in self._values()),
        )
        width = 100 / max(1, len(slots))
        ticks = format_html_join(
            "",
            '<text class="tick{}" x="{}" y="{}">{}</text>',
            (
                ("" if slot.is_major else " minor", percent((i + 0.5) * width), _UNDER, slot.tick)
                for i, slot in enumerate(slots)
                if slot.tick
            ),
        )
        return lines + ticks

    def _values(self) -> Iterator[float]:
        for i in range(round(self.top / self.step) + 1):
            yield i * self.step


_UNDER = TOP + PLOT + 17


def number(value: float) -> str:
    """`0.25`, `7`, `1,240`, `15 k`: three digits that mean something."""
    if value >= 10_000_000:
        return f"{counted(value / 1_000_000, 0)} M"
    if value >= 1_000_000:
        return f"{_rounded(value / 1_000_000)} M"
    if value >= 10_000:
        return f"{counted(value / 1000, 0)} k"
    return counted(value, 0) if value >= 100 or value == int(value) else _rounded(value)


def _rounded(value: float) -> str:
    return counted(float(f"{value:.3g}"))


def percent(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".") + "%"


def _round_step(least: float, smallest: float) -> float:
    """The first of 1, 2, 5, 10, 20 … that is not below `least`."""
    if least <= smallest:
        return smallest or 1
    power = 10.0 ** floor(log10(least))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= least * (1 - 1e-9))


def _bars(series: Sequence[Series], axis: Axis) -> SafeString:
    """Upon one another, the first one lowest."""
    return format_html_join(
        "",
        '<rect class="bar {}" x="{}" y="{}" width="{}" height="{}"/>',
        _pieces(series, axis),
    )


def _pieces(series: Sequence[Series], axis: Axis) -> Iterator[tuple[str, str, float, str, float]]:
    count = len(series[0].values) if series else 0
    width = 100 / max(1, count)
    for i in range(count):
        below = 0.0
        for one in series:
            if value := one.values[i]:
                top, bottom = axis.y(below + value), axis.y(below)
                x = percent((i + (1 - _BAR) / 2) * width)
                yield one.look, x, top, percent(_BAR * width), round(bottom - top, 2)
                below += value


def _lines(series: Sequence[Series], axis: Axis) -> SafeString:
    """The space between the first and the last is tinted; each value has its point."""
    count = max((len(one.values) for one in series), default=0)
    band = _band(series[0].values, series[-1].values, axis) if len(series) > 1 else ""
    paths = [("band", band)] + [(f"line {s.look}", _path(s.values, axis)) for s in series]
    strokes = format_html_join(
        "", '<path class="{}" d="{}"/>', ((look, path) for look, path in paths if path)
    )
    points = format_html_join(
        "",
        '<circle class="point {}" cx="{}" cy="{}" r="2.2"/>',
        (
            (one.look, percent((i + 0.5) * 100 / count), axis.y(value))
            for one in series
            for i, value in enumerate(one.values)
            if value is not None
        ),
    )
    plot = (
        '<svg width="100%" height="{0}" viewBox="0 0 {1} {0}" preserveAspectRatio="none">{2}</svg>'
    )
    return format_html(plot, TOP + PLOT + BOTTOM, max(1, count), strokes) + points


def _path(values: Values, axis: Axis) -> str:
    """A line through neighbours, broken where one is missing."""
    return "".join(
        f"M{i + 0.5} {axis.y(a)}L{i + 1.5} {axis.y(b)}"
        for i, (a, b) in enumerate(pairwise(values))
        if a is not None and b is not None
    )


def _band(low: Values, high: Values, axis: Axis) -> str:
    corners = enumerate(pairwise(zip(low, high, strict=True)))
    return "".join(
        f"M{i + 0.5} {axis.y(a)}L{i + 1.5} {axis.y(b)}V{axis.y(d)}L{i + 0.5} {axis.y(c)}Z"
        for i, ((a, c), (b, d)) in corners
        if a is not None and b is not None and c is not None and d is not None
    )
