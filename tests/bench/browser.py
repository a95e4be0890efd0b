"""A real page in Chromium → what an answer, and the first load, cost the person's machine.

The model streams at 100 tokens/s. Chromium's own counters are sampled meanwhile and laid against
the model's log, so that the cost of each fifth of the answer is known.
"""

import json
import tempfile
import time
import urllib.request
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, sync_playwright

from tests import chromium
from tests.bench import servers
from tests.bench.answers import MARKER, marker
from tests.bench.orders import Order
from tests.bench.processes import wait_for_quiet
from tests.bench.servers import Running

RATE = 100
FIFTHS = 5
FIRST_LOADS = 5

_COUNTERS = (
    "TaskDuration",
    "ThreadTime",
    "ScriptDuration",
    "LayoutDuration",
    "RecalcStyleDuration",
)
_SAMPLE_S = 0.25
_POLL_S = 0.02
_END_LIMIT_S = 120.0
_PATIENCE_S = 30.0

# Notes what is only known in the page: policy violations, long tasks, layout shifts, the longest
# interaction, when the socket opened.
_NOTES = """
window.notes = { violations: [], longTasks: 0, socketOpenMs: 0, shift: 0, interactionMs: [] };
new PerformanceObserver((list) => {
  for (const { value, hadRecentInput } of list.getEntries()) {
    if (!hadRecentInput) notes.shift += value;
  }
}).observe({ type: "layout-shift", buffered: true });
new PerformanceObserver((list) => {
  for (const { interactionId, duration } of list.getEntries()) {
    if (interactionId) notes.interactionMs.push(duration);
  }
}).observe({ type: "event", durationThreshold: 16, buffered: true });
document.addEventListener("securitypolicyviolation", (event) => {
  notes.violations.push(`${event.violatedDirective} ${event.blockedURI}`);
});
new PerformanceObserver((list) => { notes.longTasks += list.getEntries().length; })
  .observe({ type: "longtask", buffered: true });
const NativeSocket = window.WebSocket;
window.WebSocket = class extends NativeSocket {
  constructor(...args) {
    super(...args);
    this.addEventListener("open", () => { notes.socketOpenMs ||= performance.now(); });
  }
};
"""
_ANSWER = "document.querySelector('#tail article[data-role=assistant]:last-of-type')"


@dataclass(frozen=True, slots=True)
class Sample:
    """Chromium's counters at a CLOCK_MONOTONIC time; durations are seconds since the page began."""

    at: float
    counters: dict[str, float]


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer in the browser; costs in main-thread milliseconds a token."""

    kind: str
    tokens: int
    cost: dict[str, float]
    fifths: dict[str, list[float]]
    behind_s: float
    long_tasks: int
    lost: int
    doubled: int
    shift: float
    complaints: list[str] = field(default_factory=list)

    @property
    def growth(self) -> float:
        """The last fifth's CPU time by the first's; unlike the clock's, others leave it alone."""
        fifths = self.fifths["ThreadTime"]
        return fifths[-1] / fifths[0]


@dataclass(frozen=True, slots=True)
class FirstLoad:
    """Medians of loads with an empty cache; `ready_ms` until one can type and send."""

    kib: float
    requests: int
    ready_ms: float


@contextmanager
def stage(clients: int, messages: int = 0) -> Iterator[tuple[Browser, Running, int]]:
    """A browser, a chatapp with so many prepared clients, and the port of the loopback model.

    The last client's conversation has so many `messages`.
    """
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as name,
        servers.model(Path(name)) as model_port,
        servers.chatapp(f"http://127.0.0.1:{model_port}", clients, Path(name), messages) as server,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium.PATH, args=chromium.FLAGS)
        try:
            yield browser, server, model_port
        finally:
            browser.close()


def answered(
    browser: Browser, server: Running, model_port: int, client: int, order: Order
) -> Answered:
    """Sends `order` from the page of the client of that number and watches it to its end."""
    wait_for_quiet(_PATIENCE_S)
    with opened(browser, server, client) as (page, complaints):
        devtools = page.context.new_cdp_session(page)
        devtools.send("Performance.enable")
        page.get_by_label("Message", exact=True).fill(order.text())
        page.get_by_role("button", name="Send").click()
        page.wait_for_selector("article[data-status=streaming]")
        page.evaluate("notes.shift = 0")
        samples, behind_s, sent = _watch(page, devtools, order, model_port)
        notes = page.evaluate("notes")
        counts = Counter(map(int, MARKER.findall(page.evaluate(f"{_ANSWER}.textContent"))))
        return Answered(
            kind=order.kind,
            tokens=order.tokens,
            cost=_costs(samples, sent),
            fifths=_fifths(samples, sent),
            behind_s=behind_s,
            long_tasks=notes["longTasks"],
            lost=sum(1 for number in range(order.tokens) if not counts[number]),
            doubled=sum(1 for times in counts.values() if times > 1),
            shift=notes["shift"],
            complaints=complaints + notes["violations"],
        )


def first_load(browser: Browser, server: Running, client: int) -> FirstLoad:
    """A conversation's page, opened several times with nothing in the cache."""
    wait_for_quiet(_PATIENCE_S)
    loads = [_load(browser, server, client) for _ in range(FIRST_LOADS)]
    return FirstLoad(*(median(values) for values in zip(*loads, strict=True)))


def _load(browser: Browser, server: Running, client: int) -> tuple[float, int, float]:
    sizes: list[float] = []
    with _context(browser, server, client) as context:
        page = context.new_page()
        devtools = context.new_cdp_session(page)
        devtools.send("Network.enable")
        devtools.on("Network.loadingFinished", lambda event: sizes.append(_size(event)))
        page.goto(address(server, client))
        wait_until(page, "notes.socketOpenMs > 0", _END_LIMIT_S)
        page.get_by_label("Message", exact=True).focus()
        ready_ms = page.evaluate(
            "Math.max(notes.socketOpenMs, performance.timing.domInteractive"
            " - performance.timing.navigationStart)"
        )
        page.wait_for_timeout(300)
        transferred = [size for size in sizes if size > 0]
        return sum(transferred) / 1024, len(transferred), ready_ms


def _size(event: dict[str, Any]) -> float:
    return float(event["encodedDataLength"])


@contextmanager
def opened(browser: Browser, server: Running, client: int) -> Iterator[tuple[Page, list[str]]]:
    """The client's conversation with its socket open, and what the browser complains of."""
    complaints: list[str] = []
    with _context(browser, server, client) as context:
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda line: complaints.extend([line.text] * (line.type == "error")))
        page.goto(address(server, client))
        wait_until(page, "notes.socketOpenMs > 0", _END_LIMIT_S)
        yield page, complaints


@contextmanager
def _context(browser: Browser, server: Running, client: int) -> Iterator[BrowserContext]:
    name, _, value = server.doors[client].cookie.partition("=")
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    try:
        context.add_cookies([{"name": name, "value": value, "url": _origin(server)}])
        context.add_init_script(_NOTES)
        yield context
    finally:
        context.close()


def _origin(server: Running) -> str:
    return f"http://127.0.0.1:{server.port}"


def address(server: Running, client: int) -> str:
    conversation = server.doors[client].path.split("/")[3]
    return f"{_origin(server)}/c/{conversation}/"


def _watch(
    page: Page, devtools: CDPSession, order: Order, model_port: int
) -> tuple[list[Sample], float, list[float]]:
    """Samples until the model is about to end, then waits for the last token to be on the page."""
    samples = [_sample(devtools)]
    ends_at = time.monotonic() + order.tokens / order.rate
    while time.monotonic() < ends_at - 2 * _SAMPLE_S:
        page.wait_for_timeout(_SAMPLE_S * 1000)
        samples.append(_sample(devtools))
    last = marker(order.tokens - 1)
    is_shown = f"({_ANSWER}?.textContent ?? '').includes('{last}')"
    wait_until(page, is_shown, ends_at - time.monotonic() + _END_LIMIT_S)
    shown_at = time.monotonic()
    samples.append(_sample(devtools))
    page.wait_for_selector("article[data-role=assistant][data-status=complete]")
    log = json.load(urllib.request.urlopen(f"http://127.0.0.1:{model_port}/log"))
    sent = log[str(order.stream)]["sent"]
    return samples, shown_at - sent[-1], sent


def wait_until(page: Page, expression: str, limit_s: float) -> None:
    """Playwright's own wait would evaluate a string in the page, which its policy forbids."""
    deadline = time.monotonic() + limit_s
    while not page.evaluate(expression) and time.monotonic() < deadline:
        page.wait_for_timeout(_POLL_S * 1000)


def _sample(devtools: CDPSession) -> Sample:
    metrics = devtools.send("Performance.getMetrics")["metrics"]
    counters = {metric["name"]: metric["value"] for metric in metrics}
    return Sample(time.monotonic(), {name: counters.get(name, 0.0) for name in _COUNTERS})


def _costs(samples: list[Sample], sent: list[float]) -> dict[str, float]:
    first, last = samples[0], samples[-1]
    tokens = max(1, _tokens_between(sent, first.at, last.at))
    return {
        name: (last.counters[name] - first.counters[name]) * 1000 / tokens for name in _COUNTERS
    }


def _fifths(samples: list[Sample], sent: list[float]) -> dict[str, list[float]]:
    """Milliseconds a token for each fifth of the answer, by counter."""
    at = [sample.at for sample in samples]
    borders = [sent[(len(sent) - 1) * part // FIFTHS] for part in range(FIFTHS + 1)]
    nearest = [samples[min(len(at) - 1, bisect_left(at, border))] for border in borders]
    parts = [_costs([*pair], sent) for pair in pairwise(nearest)]
    return {name: [part[name] for part in parts] for name in _COUNTERS}


def _tokens_between(sent: list[float], begin: float, end: float) -> int:
    return bisect_left(sent, end) - bisect_left(sent, begin)
