"""What a scenario measured → lines beside their bars, and whether they are kept."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.bench.report import verdict


@dataclass(frozen=True, slots=True)
class Figure:
    """A value that may be at most `bar`; `is_timing` says that it depends on the machine, which
    explains nothing beyond `gross`."""

    title: str
    value: float
    bar: float | None = None
    digits: int = 0
    is_timing: bool = False
    gross: float | None = None

    def __str__(self) -> str:
        line = f"  {self.title:<54}{self.value:>12,.{self.digits}f}"
        return line if self.bar is None else line + verdict(self.value, self.bar)

    @property
    def is_kept(self) -> bool:
        return self.bar is None or self.value <= self.bar

    @property
    def is_wrong(self) -> bool:
        """Whether it is over whatever the machine is."""
        if self.gross is not None and self.value > self.gross:
            return True
        return not (self.is_timing or self.is_kept)


def timing(
    title: str, seconds: float, bar_ms: float | None = None, gross_ms: float | None = None
) -> Figure:
    """A time, in milliseconds."""
    return Figure(title, seconds * 1000, bar_ms, is_timing=True, gross=gross_ms)


def check(figures: Sequence[Figure]) -> None:
    """Fails with the figures that are over their bars; of times only with those that are so by far.

    Their bars are for `python -m tests.faults`: machines differ, and tests share them.
    """
    wrong = [str(figure) for figure in figures if figure.is_wrong]
    assert not wrong, "\n" + "\n".join(wrong)


def percentile(values: Sequence[float], percent: float) -> float:
    """The nearest rank; 0 of nothing."""
    return sorted(values)[min(len(values) - 1, int(len(values) * percent / 100))] if values else 0.0
