"""`python -m tests.bench`: the command line of the benchmark."""

import argparse
import json
import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.bench import administering, exporting, footprint, searching
from tests.bench.browser import RATE, Answered, answered, first_load, stage
from tests.bench.load import THROUGHPUT_STREAMS, Load, measure, paced, throughput
from tests.bench.orders import Order
from tests.bench.processes import cores
from tests.bench.report import ROWS, THROUGHPUT_ROWS, Row, plain_line, table, verdict
from tests.bench.smoothness import MESSAGES, Smoothness, smoothness
from tests.bench.smoothness import RATE as SMOOTH_RATE

CODE_TOKENS = 10_000  # 2,000 lines

_DESCRIPTION = "Measures chatapp beside the floor; see tests/bench/__init__.py."
_COST_TITLES = {
    "TaskDuration": "main thread ms a token",
    "ThreadTime": "  of it CPU time",
    "ScriptDuration": "  of it script",
    "LayoutDuration": "  of it layout",
    "RecalcStyleDuration": "  of it style",
}


def main() -> None:
    arguments = _arguments()
    kinds: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
        "browser": _browser,
        "smooth": _smooth,
        "install": _install,
        "start": _start,
        "search": _search,
        "export": _export,
        "admin": _admin,
    }
    asked = [kind for kind in kinds if getattr(arguments, kind)]
    results = {kind: kinds[kind](arguments) for kind in asked} or _load(arguments)
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1), encoding="utf-8")


def _load(arguments: argparse.Namespace) -> dict[str, Any]:
    os.sched_setaffinity(0, cores()[1])
    results: dict[str, Any] = {}
    for streams in arguments.n:
        title = f"{streams} streams, 50 tokens/s each"
        load = paced(streams, arguments.seconds, arguments.stagger_ms / 1000)
        _show(title, load, ROWS, arguments.only, results)
    if not arguments.no_throughput:
        title = f"{THROUGHPUT_STREAMS} streams, unthrottled"
        _show(title, throughput(arguments.seconds), THROUGHPUT_ROWS, arguments.only, results)
    return results


def _show(
    title: str, load: Load, rows: list[Row], only: str | None, results: dict[str, Any]
) -> None:
    measured = dict(measure(load, only))
    results[title] = {name: figures.as_dict() for name, figures in measured.items()}
    print(table(title, measured, rows), end="\n\n", flush=True)


def _browser(arguments: argparse.Namespace) -> dict[str, Any]:
    orders = [
        Order(stream, tokens, RATE, kind=kind)
        for stream, (kind, tokens) in enumerate(
            [*(("mixed", tokens) for tokens in arguments.tokens), ("code", CODE_TOKENS)]
        )
        if kind in arguments.kinds
    ]
    results = []
    with stage(len(orders) + 3, MESSAGES) as (browser, server, model_port):
        load = first_load(browser, server, len(orders))
        print("first load of a conversation's page")
        print(plain_line("KiB", load.kib, 0, 100))
        print(plain_line("requests", load.requests, 0, 12))
        print(plain_line("ms until one can type", load.ready_ms, 0, 300), flush=True)
        for client, order in enumerate(orders):
            answer = answered(browser, server, model_port, client, order)
            results.append(asdict(answer))
            print(_answer_lines(answer), flush=True)
        smooth = smoothness(browser, server, model_port, (len(orders) + 1, len(orders) + 2))
        print(_smooth_lines(smooth), flush=True)
    return {"first load": asdict(load), "answers": results, "smoothness": asdict(smooth)}


def _smooth(_: argparse.Namespace) -> dict[str, Any]:
    with stage(2, MESSAGES) as (browser, server, model_port):
        smooth = smoothness(browser, server, model_port, (0, 1))
    print(_smooth_lines(smooth), flush=True)
    return asdict(smooth)


def _smooth_lines(smooth: Smoothness) -> str:
    return "\n".join(
        [
            f"\nsmoothness at {SMOOTH_RATE} tokens/s, and with {MESSAGES:,} messages",
            plain_line("layout shift while it streams, empty", smooth.empty.shift, 4, 0.02),
            plain_line("layout shift while it streams, long", smooth.long.shift, 4, 0.02),
            plain_line("longest interaction to next paint, ms", smooth.interaction_ms, 0, 100),
            plain_line("CPU ms a token, empty", smooth.empty.cost["ThreadTime"], 2),
            plain_line("CPU ms a token, long", smooth.long.cost["ThreadTime"], 2),
            plain_line("long by empty", smooth.growth, 2, 1.5),
            plain_line("server ms to open, p50", smooth.opening_ms, 0, 300),
        ]
    )


def _answer_lines(answer: Answered) -> str:
    bars = {"TaskDuration": 1.8}
    costs = [
        line
        for name, title in _COST_TITLES.items()
        for line in (
            plain_line(title, answer.cost[name], 2, bars.get(name)),
            "      each fifth: " + " ".join(f"{value:.2f}" for value in answer.fifths[name]),
        )
    ]
    return "\n".join(
        [
            f"\n{answer.tokens:,} tokens of {answer.kind}, 100 tokens/s",
            *costs,
            plain_line("last fifth by first, CPU time", answer.growth, 2, 1.15),
            plain_line("behind the model at the end, s", answer.behind_s, 2, 0.3),
            plain_line("long tasks", answer.long_tasks, 0),
            plain_line("cumulative layout shift", answer.shift, 4, 0.02),
            plain_line("tokens lost", answer.lost, 0, 0),
            plain_line("tokens doubled", answer.doubled, 0, 0),
            plain_line("console errors and policy violations", len(answer.complaints), 0, 0),
            *(f"    {complaint}" for complaint in answer.complaints[:5]),
        ]
    )


def _install(_: argparse.Namespace) -> dict[str, Any]:
    found = footprint.installation()
    print("pip install -r requirements.txt into a fresh environment")
    print(plain_line("distributions", found.distributions, 0, 50))
    print(plain_line("MiB", found.mib, 0, 190))
    print(plain_line("seconds", found.seconds, 0))
    return asdict(found)


def _start(_: argparse.Namespace) -> dict[str, Any]:
    seconds = footprint.start_s()
    print(plain_line("seconds until the first page", seconds, 2, 1))
    return {"seconds": seconds}


def _search(_: argparse.Namespace) -> dict[str, Any]:
    found = searching.searches()
    print(f"search over {searching.MESSAGES:,} messages, {found.database}")
    print(f"  {'query':<46}{'p50 ms':>12}{'p95 ms':>12}")
    for query in found.queries:
        title = f"{query.title} ({query.hits} found)"
        line = plain_line(title, query.p50_ms, 1) + f"{query.p95_ms:>12.1f}"
        print(line + verdict(query.p95_ms, searching.BAR_MS))
    return asdict(found)


def _export(arguments: argparse.Namespace) -> dict[str, Any]:
    messages = arguments.messages or exporting.MESSAGES
    found = exporting.exports(messages)
    print(f"export of {messages:,} messages by an administrator")
    alone_ms = found.alone.plateau_p99 or 0
    print(plain_line(f"token latency of {exporting.STREAMS} streams alone, p99 ms", alone_ms, 1))
    for export in found.kinds:
        print(_export_lines(export))
    return asdict(found)


def _export_lines(export: exporting.Export) -> str:
    growth_bar, first_bar = exporting.GROWTH_BAR_MIB, exporting.FIRST_BYTE_BAR_S
    return "\n".join(
        [
            f"{export.kind}, {export.mib:.0f} MiB",
            plain_line("first byte, s", export.first_byte_s, 2, first_bar),
            plain_line("seconds in all", export.seconds, 1),
            plain_line("memory more, MiB", export.growth_mib, 0, growth_bar),
            f"{export.kind}, beside {exporting.STREAMS} streams",
            plain_line("first byte, s", export.beside_first_byte_s, 2, first_bar),
            plain_line("memory more, MiB", export.beside_growth_mib, 0, growth_bar),
            plain_line("their token latency, p99 ms", export.beside.plateau_p99 or 0, 1),
            plain_line("  more than alone", export.delay_ms, 1, exporting.DELAY_BAR_MS),
            plain_line("tokens lost", export.beside.lost, 0, 0),
            plain_line("streams that did not complete", export.beside.failed, 0, 0),
        ]
    )


def _admin(arguments: argparse.Namespace) -> dict[str, Any]:
    found = administering.administering(arguments.messages or administering.MESSAGES)
    print(
        f"the admin over {found.messages:,} messages of {found.conversations:,} conversations, "
        f"{found.database}\n  filled in {found.filling_s:,.0f} s, summed up in "
        f"{found.summing_s:,.0f} s; load {found.load:.1f}"
    )
    print(f"  {'page':<34}{'queries':>9}{'p50 ms':>9}{'p95 ms':>9}{'CPU ms':>9}")
    for page in found.pages:
        line = f"  {page.title:<34}{page.queries:>9}{page.p50_ms:>9.1f}{page.p95_ms:>9.1f}"
        line += f"{page.cpu_ms:>9.1f}"
        line += verdict(page.p95_ms, administering.BAR_MS)
        line += verdict(page.queries, administering.BAR_QUERIES)
        print(line + ("" if page.status == 200 else f"  HTTP {page.status}"))
    return asdict(found)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=_DESCRIPTION)
    add = parser.add_argument
    add("--n", type=_numbers, default=[1, 20, 100, 200, 500], help="numbers of streams")
    add("--seconds", type=float, default=4.0, help="how long all streams run together")
    add("--stagger-ms", type=float, default=10.0, help="from one client's question to the next's")
    add("--only", choices=["chatapp", "floor"], help="one server, without the harness")
    add("--no-throughput", action="store_true", help="leave the unthrottled streams out")
    add("--browser", action="store_true", help="what a page costs in Chromium")
    add("--smooth", action="store_true", help="only how smooth it is, of --browser")
    add("--tokens", type=_numbers, default=[1000, 4000, 16_000], help="answers in the browser")
    add("--kinds", type=_words, default=["mixed", "code"], help="mixed, code or both")
    add("--install", action="store_true", help="the size of a fresh installation")
    add("--start", action="store_true", help="the time until the first page")
    add("--search", action="store_true", help="searches in many messages; DATABASE_URL says where")
    add("--export", action="store_true", help="an administrator's export beside people who chat")
    add("--admin", action="store_true", help="the admin's pages; DATABASE_URL says where")
    add("--messages", type=int, help="how many there are for --admin, or --export takes")
    add("--json", type=Path, help="write the figures to this file as well")
    return parser.parse_args()


def _numbers(text: str) -> list[int]:
    return [int(number) for number in _words(text)]


def _words(text: str) -> list[str]:
    return text.split(",")


if __name__ == "__main__":
    main()
