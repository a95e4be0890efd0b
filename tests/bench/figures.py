"""What the clients got and the model sent → figures: latency added, tokens lost, CPU and memory."""

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from tests.bench.answers import MARKER
from tests.bench.page import Page
from tests.bench.processes import Usage
from tests.bench.sockets import Recording
from tests.bench.swarm import Session

_TAG = re.compile(r"<[^>]*>")


@dataclass(frozen=True, slots=True)
class Figures:
    """Milliseconds, MiB and counts; None where nothing was measured.

    Latency and time to first token are what the server adds: to the moment the model sent a token,
    and to the time the model itself took until its first. `plateau_p99` and `cpu_ms` count while
    all stream, `cpu_whole_ms` everything from the first message sent to the last answer's end.
    `others` is the share of the server's core, in percent, that went to processes not ours.
    """

    streams: int
    ttft_p50: float | None = None
    latency_p50: float | None = None
    latency_p99: float | None = None
    latency_max: float | None = None
    plateau_p99: float | None = None
    tokens_s: float | None = None
    frames_s: float | None = None
    cpu_ms: float | None = None
    cpu_whole_ms: float | None = None
    others: float | None = None
    rss_idle: float | None = None
    rss_during: float | None = None
    lost: int = 0
    doubled: int = 0
    strays: int = 0
    failed: int = 0

    def as_dict(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True, slots=True)
class Reading:
    """One answer as its reader saw it: when each marker first came, what was wrong at the end."""

    seen_at: dict[int, float]
    lost: int
    doubled: int
    strays: int


def read(recording: Recording, tokens: int) -> Reading:
    """Plays the frames of one socket back."""
    page = Page()
    seen_at: dict[int, float] = {}
    for at, payload in recording.frames:
        frame = payload.decode()
        for found in MARKER.finditer(_TAG.sub("", frame)):
            seen_at.setdefault(int(found[1]), at)
        page.apply(frame)
    counts = Counter(int(found[1]) for found in MARKER.finditer(page.text()))
    lost = sum(1 for number in range(tokens) if not counts[number])
    doubled = sum(1 for times in counts.values() if times > 1)
    return Reading(seen_at, lost, doubled, page.strays)


def figures(sessions: Sequence[Session], idle: Usage | None) -> Figures:
    """The figures of one or more rounds of the same kind."""
    first, latencies, plateau, readings = [], [], [], []
    for session in sessions:
        begin, end = _plateau(session)
        for order, recording, log in zip(
            session.orders, session.recordings, session.log, strict=True
        ):
            reading = read(recording, order.tokens)
            readings.append(reading)
            latencies += _latencies(reading, log["sent"])
            plateau += _latencies(reading, log["sent"], begin, end)
            first += _first_token(reading, recording, log)
    recordings = [recording for session in sessions for recording in session.recordings]
    samples = [sample for session in sessions for sample in session.usage]
    return Figures(
        streams=len(sessions[0].orders),
        ttft_p50=_ms(percentile(first, 50)),
        latency_p50=_ms(percentile(latencies, 50)),
        latency_p99=_ms(percentile(latencies, 99)),
        latency_max=_ms(percentile(latencies, 100)),
        plateau_p99=_ms(percentile(plateau, 99)),
        tokens_s=_rate(sessions, [len(log["sent"]) for s in sessions for log in s.log]),
        frames_s=_rate(sessions, [len(recording.frames) for recording in recordings]),
        cpu_ms=_mean([_cpu_ms_while_all_stream(session) for session in sessions]),
        cpu_whole_ms=_mean([_cpu_ms_in_all(session) for session in sessions]),
        others=_mean([_others_percent(session) for session in sessions]),
        rss_idle=idle.rss_mib if idle else None,
        rss_during=max(sample.rss_mib for sample in samples) if idle else None,
        lost=sum(reading.lost for reading in readings),
        doubled=sum(reading.doubled for reading in readings),
        strays=sum(reading.strays for reading in readings),
        failed=sum(recording.status != "complete" for recording in recordings),
    )


def percentile(values: Sequence[float], percent: float) -> float | None:
    """The nearest rank; None of nothing."""
    if not values:
        return None
    return sorted(values)[min(len(values) - 1, int(len(values) * percent / 100))]


def _plateau(session: Session) -> tuple[float, float]:
    """From the moment when the last stream has begun until the first one ends."""
    logs = [log["sent"] for log in session.log if log["sent"]]
    return max((sent[0] for sent in logs), default=0), min((sent[-1] for sent in logs), default=0)


def _latencies(
    reading: Reading, sent: list[float], begin: float = 0.0, end: float = math.inf
) -> list[float]:
    """Of the tokens sent between `begin` and `end`."""
    seen_at = reading.seen_at
    return [
        seen_at[number] - at
        for number, at in enumerate(sent)
        if begin <= at <= end and number in seen_at
    ]


def _first_token(reading: Reading, recording: Recording, log: dict[str, Any]) -> list[float]:
    if 0 not in reading.seen_at or not log["sent"]:
        return []
    models_own = log["sent"][0] - log["received_at"]
    return [reading.seen_at[0] - recording.sent_at - models_own]


def _rate(sessions: Sequence[Session], amounts: list[int]) -> float | None:
    """Per second from the model's first token to the last frame's arrival."""
    duration_s = 0.0
    for session in sessions:
        begins = [log["sent"][0] for log in session.log if log["sent"]]
        ends = [recording.frames[-1][0] for recording in session.recordings if recording.frames]
        duration_s += max(ends) - min(begins) if begins and ends else 0.0
    return sum(amounts) / duration_s if duration_s else None


def _cpu_ms_while_all_stream(session: Session) -> float | None:
    begin, end = _plateau(session)
    within = [sample for sample in session.usage if begin <= sample.at <= end]
    if len(within) < 2:
        return None
    begin, end = within[0].at, within[-1].at
    tokens = sum(begin <= at <= end for log in session.log for at in log["sent"])
    return _per_token(within[0], within[-1], tokens)


def _cpu_ms_in_all(session: Session) -> float | None:
    if not session.usage:
        return None
    tokens = sum(len(log["sent"]) for log in session.log)
    return _per_token(session.usage[0], session.usage[-1], tokens)


def _others_percent(session: Session) -> float | None:
    if not session.usage:
        return None
    first, last = session.usage[0], session.usage[-1]
    others_s = (last.core_s - first.core_s) - (last.cpu_s - first.cpu_s)
    return max(0.0, others_s) / (last.at - first.at) * 100


def _per_token(first: Usage, last: Usage, tokens: int) -> float | None:
    return (last.cpu_s - first.cpu_s) * 1000 / tokens if tokens else None


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else seconds * 1000
