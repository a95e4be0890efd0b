"""What the process does → numbers that Prometheus reads.

A reply is counted once, from what is known of it at its end: its tokens cost nothing more. Labels
have few values, endpoints and kinds; people and conversations are none.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any, Final

from prometheus_client import Counter, Gauge, Histogram, Info, disable_created_metrics

from chatapp.events import Usage

disable_created_metrics()  # type: ignore[no-untyped-call]

LAG_EVERY_S: Final = 0.5

_WAITS_S = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
_TOTALS_S = (0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 900)
_STEPS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1)

BUILD = Info("chatapp_build", "What runs here.")
RUNNING = Gauge("chatapp_replies_running", "Replies that this process makes now.")
FOLLOWED = Gauge("chatapp_replies_followed", "Replies of other processes that are read along.")
SOCKETS = Gauge("chatapp_sockets", "Open sockets, by what they show.", ["page"])
REPLIES = Counter("chatapp_replies", "Replies that ended here.", ["endpoint", "status"])
ERRORS = Counter("chatapp_reply_errors", "Problems of replies.", ["endpoint", "kind"])
TOKENS = Counter("chatapp_tokens", "Tokens as endpoints count them.", ["endpoint", "direction"])
FIRST_TOKEN = Histogram(
    "chatapp_first_token_seconds",
    "From the request to the first token.",
    ["endpoint"],
    buckets=_WAITS_S,
)
TOKEN_STEP = Histogram(
    "chatapp_token_seconds",
    "Between two deltas, the mean of a reply.",
    ["endpoint"],
    buckets=_STEPS_S,
)
TOTAL = Histogram(
    "chatapp_reply_seconds", "From the request to the end.", ["endpoint"], buckets=_TOTALS_S
)
ABANDONED = Counter("chatapp_replies_abandoned", "Replies of dead processes that were ended here.")
LAG = Histogram(
    "chatapp_event_loop_lag_seconds", "How late the event loop wakes a timer.", buckets=_STEPS_S
)
DATABASE = Gauge("chatapp_database", "Visits to the database, and its pool.", ["what"])


def count_reply(endpoint: str, fields: Mapping[str, Any], spent: Usage) -> None:
    """Counts a reply that has ended; `fields` are columns of its message, `spent` what of its
    tokens is counted already, as it was continued."""
    _labelled(REPLIES, endpoint, str(fields["status"])).inc()
    if kind := fields.get("error_kind"):
        _labelled(ERRORS, endpoint, str(kind)).inc()
    taken, written = fields.get("input_tokens") or 0, fields.get("output_tokens") or 0
    count_tokens(endpoint, Usage(taken - (spent.input or 0), written - (spent.output or 0)))
    sent_at, first_at = fields.get("request_sent_at"), fields.get("first_token_at")
    if sent_at is None:
        return
    _labelled(TOTAL, endpoint).observe(_seconds(sent_at, fields["finished_at"]))
    if first_at is None:
        return
    _labelled(FIRST_TOKEN, endpoint).observe(_seconds(sent_at, first_at))
    if (steps := sum(fields["arrivals"]["counts"]) - 1) > 0:
        _labelled(TOKEN_STEP, endpoint).observe(_seconds(first_at, fields["last_token_at"]) / steps)


def count_tokens(endpoint: str, usage: Usage) -> None:
    """Counts what a call took."""
    for direction, tokens in (("input", usage.input), ("output", usage.output)):
        _labelled(TOKENS, endpoint, direction).inc(max(0, tokens or 0))


async def watch_lag() -> None:
    """Measures the event loop until it is cancelled."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + LAG_EVERY_S
        await asyncio.sleep(LAG_EVERY_S)
        LAG.observe(max(loop.time() - due, 0))


@cache
def _labelled(metric: Any, *labels: str) -> Any:
    """The library takes longer to find it than to count."""
    return metric.labels(*labels)


def _seconds(start: datetime, end: datetime) -> float:
    """Clocks may jump."""
    return max((end - start).total_seconds(), 0.0)
