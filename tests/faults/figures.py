"""What a scenario measured → lines beside their bars, and whether they are kept."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.bench.report import verdict

# Machines differ and tests share them: in the tests a time may be this many times its bar.
SLACK = 8.0


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

    def is_kept(self, slack: float = 1.0) -> bool:
        return self.bar is None or self.value <= self.bar * (slack if self.is_timing else 1.0)


def timing(title: str, seconds: float, bar_ms: float | None = None) -> Figure:
    """A time, in milliseconds."""
    return Figure(title, seconds * 1000, bar_ms, is_timing=True)


def check(figures: Sequence[Figure]) -> None:
    """Fails with the figures that are over their bars, those of time with slack."""
    over = [str(figure) for figure in figures if not figure.is_kept(SLACK)]
    assert not over, "\n" + "\n".join(over)


def percentile(values: Sequence[float], percent: float) -> float:
    """The nearest rank; 0 of nothing."""
    return sorted(values)[min(len(values) - 1, int(len(values) * percent / 100))] if values else 0.0
