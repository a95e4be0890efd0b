"""What a scenario measured → lines beside their bars, and whether they are kept."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.bench.report import verdict


@dataclass(frozen=True, slots=True)
class Figure:
    """A value that may be at most `bar`; `is_timing` says that it depends on the machine."""

    title: str
    value: float
    bar: float | None = None
    digits: int = 0
    is_timing: bool = False

    def __str__(self) -> str:
        line = f"  {self.title:<54}{self.value:>12,.{self.digits}f}"
        return line if self.bar is None else line + verdict(self.value, self.bar)

    @property
    def is_kept(self) -> bool:
        return self.bar is None or self.value <= self.bar


def timing(title: str, seconds: float, bar_ms: float | None = None) -> Figure:
    """A time, in milliseconds."""
    return Figure(title, seconds * 1000, bar_ms, is_timing=True)


def check(figures: Sequence[Figure]) -> None:
    """Fails with the figures that are over their bars, but for times.

    Those are for `python -m tests.faults`: machines differ, and tests share them.
    """
    over = [str(figure) for figure in figures if not (figure.is_timing or figure.is_kept)]
    assert not over, "\n" + "\n".join(over)


def percentile(values: Sequence[float], percent: float) -> float:
    """The nearest rank; 0 of nothing."""
    return sorted(values)[min(len(values) - 1, int(len(values) * percent / 100))] if values else 0.0
