"""Figures of chatapp, the floor and the harness → one aligned table a number of streams."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.bench.figures import Figures


@dataclass(frozen=True, slots=True)
class Row:
    """A figure's name, its title, its digits, and the most (or least) that it may be."""

    name: str
    title: str
    digits: int
    bar: Callable[[int], float | None] = lambda streams: None
    is_least: bool = False


def _at(**bars: float) -> Callable[[int], float | None]:
    """Bars by number of streams: `_at(n100=12)`."""
    return lambda streams: bars.get(f"n{streams}")


def _always(bar: float) -> Callable[[int], float | None]:
    return lambda streams: bar


# DESIGN section 8: what to build for.
ROWS = [
    Row("ttft_p50", "time to first token added, p50 ms", 1, _at(n1=6.0)),
    Row("latency_p50", "token latency added, p50 ms", 1),
    Row("latency_p99", "token latency added, p99 ms", 1, _at(n100=12.0, n200=20.0, n500=100.0)),
    Row("latency_max", "token latency added, max ms", 1),
    Row("plateau_p99", "the same p99 while all stream, ms", 1),
    Row("tokens_s", "tokens/s", 0),
    Row("frames_s", "frames/s", 0),
    Row("cpu_ms", "server CPU ms a token, all streaming", 3, _at(n100=0.10)),
    Row("cpu_whole_ms", "server CPU ms a token, ask to end", 3),
    Row("others", "server's core used by others, %", 0),
    Row("rss_idle", "memory idle, MiB", 0, _always(90.0)),
    Row("rss_during", "memory during, MiB", 0, _at(n200=130.0)),
    Row("lost", "tokens lost", 0, _always(0)),
    Row("doubled", "tokens doubled", 0, _always(0)),
    Row("strays", "parts without a target", 0, _always(0)),
    Row("failed", "streams that did not complete", 0, _always(0)),
]
THROUGHPUT_ROWS = [
    Row("tokens_s", "tokens/s", 0, _always(35_000.0), is_least=True),
    *(row for row in ROWS if row.name in ("frames_s", "cpu_whole_ms", "others", "rss_during")),
    *(row for row in ROWS if row.name in ("lost", "doubled", "strays", "failed")),
]

_COLUMNS = ("harness", "floor", "chatapp")


def table(title: str, measured: dict[str, Figures], rows: list[Row]) -> str:
    """`measured` is keyed "harness", "floor" and "chatapp"; each may be missing."""
    head = f"{title:<38}" + "".join(f"{name:>10}" for name in _COLUMNS)
    lines = [f"{head}{'ratio':>9}{'bar':>11}", *(_line(row, measured) for row in rows)]
    return "\n".join(lines)


def _line(row: Row, measured: dict[str, Figures]) -> str:
    values = {name: getattr(figures, row.name) for name, figures in measured.items()}
    cells = "".join(f"{_number(values.get(name), row.digits):>10}" for name in _COLUMNS)
    ratio = _ratio(values.get("chatapp"), values.get("floor"))
    return f"  {row.title:<36}{cells}{ratio:>9}{_verdict(row, measured)}"


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:,.{digits}f}"


def _ratio(ours: float | None, floors: float | None) -> str:
    return f"{ours / floors:.2f}" if ours is not None and floors else ""


def _verdict(row: Row, measured: dict[str, Figures]) -> str:
    figures = measured.get("chatapp")
    value = getattr(figures, row.name) if figures else None
    bar = row.bar(figures.streams) if figures else None
    if value is None or bar is None:
        return ""
    return verdict(value, bar, is_least=row.is_least)


def plain_line(title: str, value: float, digits: int, bar: float | None = None) -> str:
    """One figure that has nothing beside it but its bar."""
    line = f"  {title:<46}{value:>12,.{digits}f}"
    return line if bar is None else line + verdict(value, bar)


def verdict(value: float, bar: float, *, is_least: bool = False) -> str:
    """The bar and whether the value keeps it."""
    sign, miss = ("≥", "under") if is_least else ("≤", "over")
    keeps = value >= bar if is_least else value <= bar
    return f"{f'{sign} {bar:,g}':>11}  {'ok' if keeps else miss}"
