"""Endings of replies → counts and samples, and of these their exact percentiles."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil
from typing import NamedTuple

from chatapp.models import HealthFigure, Status

# Text that came in one piece, or nearly, has no rate.
LEAST_WRITING_S = 0.2


class Ending(NamedTuple):
    """What the figures want to know of a reply that ended."""

    endpoint_name: str
    status: str
    error_kind: str
    sent_at: datetime | None
    first_at: datetime | None
    last_at: datetime | None
    finished_at: datetime
    output_tokens: int | None
    is_continued: bool

    @property
    def first_ms(self) -> float | None:
        """Milliseconds from the request, the last one if there were several, to the first token;
        None without one, and where the clock was set back in between."""
        return _ms(self.sent_at, self.first_at)

    @property
    def rate(self) -> float | None:
        """Tokens a second from the first to the last, by the endpoint's own count; None of a reply
        that was continued, whose count is that of all its calls."""
        writing_ms = None if self.is_continued else _ms(self.first_at, self.last_at)
        if not self.output_tokens or writing_ms is None or writing_ms < LEAST_WRITING_S * 1000:
            return None
        return round((self.output_tokens - 1) * 1000 / writing_ms, 2)


# The columns of a message that make an `Ending`, in its order; whether it was continued, its seams
# tell.
COLUMNS = (
    "endpoint_name",
    "status",
    "error_kind",
    "request_sent_at",
    "first_token_at",
    "last_token_at",
    "finished_at",
    "output_tokens",
)


@dataclass(slots=True)
class Tally:
    """One endpoint's endings of some time: how many of which kind, and samples in any order."""

    complete: int = 0
    stopped: int = 0
    interrupted: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    first_ms: list[float] = field(default_factory=list)
    cold_ms: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)

    def add(self, ending: Ending, *, is_cold: bool) -> None:
        match ending.status:
            case Status.COMPLETE:
                self.complete += 1
            case Status.STOPPED:
                self.stopped += 1
            case Status.INTERRUPTED:
                self.interrupted += 1
            case _:
                self.errors[ending.error_kind or "unknown"] += 1
        if ending.first_ms is not None:
            (self.cold_ms if is_cold else self.first_ms).append(ending.first_ms)
        if ending.rate is not None:
            self.rates.append(ending.rate)

    @property
    def samples(self) -> dict[str, list[float]]:
        return {"first_ms": self.first_ms, "cold_ms": self.cold_ms, "rates": self.rates}

    def figure(self, period: str, start: datetime, endpoint_name: str) -> HealthFigure:
        """The figure, not stored yet."""
        return HealthFigure(
            period=period,
            start=start,
            endpoint_name=endpoint_name,
            requests=self.complete + self.stopped + self.interrupted + self.errors.total(),
            complete=self.complete,
            stopped=self.stopped,
            interrupted=self.interrupted,
            errors=dict(sorted(self.errors.items())),
            first_p50_ms=percentile(self.first_ms, 50),
            first_p95_ms=percentile(self.first_ms, 95),
            rate_p50=percentile(self.rates, 50),
            rate_p95=percentile(self.rates, 95),
            cold=len(self.cold_ms),
            cold_p50_ms=percentile(self.cold_ms, 50),
        )


def joined(figures: Iterable[HealthFigure]) -> Tally:
    """What several hours of one endpoint are together."""
    tally = Tally()
    for figure in figures:
        tally.complete += figure.complete
        tally.stopped += figure.stopped
        tally.interrupted += figure.interrupted
        tally.errors.update(figure.errors)
        for name, values in tally.samples.items():
            values += figure.samples.get(name, [])
    return tally


def percentile(values: Sequence[float], percent: int) -> float | None:
    """The smallest of the values that `percent` % of them don't exceed; None of none."""
    ordered = sorted(values)
    return ordered[max(0, ceil(len(ordered) * percent / 100) - 1)] if ordered else None


def _ms(start: datetime | None, end: datetime | None) -> float | None:
    if start is None or end is None or end < start:
        return None
    return round((end - start).total_seconds() * 1000, 3)
