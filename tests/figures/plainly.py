"""The same figures, said once more from the rows alone: no code of chatapp's is used."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection

_ROWS = """
    SELECT endpoint_name, status, error_kind, request_sent_at, first_token_at, last_token_at,
           finished_at, output_tokens
    FROM chatapp_message WHERE finished_at IS NOT NULL AND owner <> '' ORDER BY finished_at
"""
Row = dict[str, Any]


def rows() -> list[Row]:
    with connection.cursor() as cursor:
        cursor.execute(_ROWS)
        names = [column[0] for column in cursor.description]
        return [_timed(dict(zip(names, row, strict=True))) for row in cursor.fetchall()]


def nearest_rank(values: Iterable[float], percent: int) -> float | None:
    ordered = sorted(values)
    rank = math.ceil(percent / 100 * len(ordered))
    return ordered[rank - 1] if ordered else None


def hourly(all_rows: list[Row]) -> dict[tuple[datetime, str], Row]:
    """(hour, endpoint) → its figures."""
    groups = _grouped(all_rows, hours=1)
    lasting: dict[tuple[datetime, str], list[float]] = {}
    figures = {}
    for (start, name), group in sorted(groups.items()):
        before = [
            ms
            for (at, other), times in lasting.items()
            if other == name and start - timedelta(days=1) <= at < start
            for ms in times
        ]
        cold = _cold(group, before, all_rows)
        lasting[start, name] = [r["first_ms"] for r in group if r["first_ms"] and r not in cold]
        figures[start, name] = _figures(group, cold)
    return figures


def daily(all_rows: list[Row]) -> dict[tuple[datetime, str], Row]:
    """(day, endpoint) → its figures, from the rows of the day."""
    cold = [row for figures in hourly(all_rows).values() for row in figures["cold_rows"]]
    groups = _grouped(all_rows, hours=24)
    return {
        key: _figures(group, [row for row in group if row in cold]) for key, group in groups.items()
    }


def _grouped(all_rows: list[Row], hours: int) -> dict[tuple[datetime, str], list[Row]]:
    groups = defaultdict(list)
    for row in all_rows:
        at = row["finished_at"]
        start = at.replace(minute=0, second=0, microsecond=0, hour=at.hour // hours * hours)
        groups[start, row["endpoint_name"]].append(row)
    return groups


def _cold(group: list[Row], before: list[float], all_rows: list[Row]) -> list[Row]:
    timed = [row for row in group if row["first_ms"] is not None]
    after_silence = [
        row
        for row in timed
        if row["first_ms"] > 2000
        and not any(
            other["first_token_at"]
            and other["endpoint_name"] == row["endpoint_name"]
            and timedelta() < row["request_sent_at"] - other["finished_at"] <= timedelta(minutes=5)
            for other in all_rows
        )
    ]
    usual = nearest_rank(before + [r["first_ms"] for r in timed if r not in after_silence], 50)
    return [row for row in after_silence if row["first_ms"] > 3 * (usual or 0)]


def _figures(group: list[Row], cold: list[Row]) -> Row:
    kinds = Counter(r["error_kind"] for r in group if r["status"] in ("error", "incomplete"))
    warm = [r["first_ms"] for r in group if r["first_ms"] is not None and r not in cold]
    rates = [row["rate"] for row in group if row["rate"] is not None]
    statuses = Counter(row["status"] for row in group)
    return {
        "requests": len(group),
        "complete": statuses["complete"],
        "stopped": statuses["stopped"],
        "interrupted": statuses["interrupted"],
        "errors": dict(sorted(kinds.items())),
        "first_p50_ms": nearest_rank(warm, 50),
        "first_p95_ms": nearest_rank(warm, 95),
        "rate_p50": nearest_rank(rates, 50),
        "rate_p95": nearest_rank(rates, 95),
        "cold": len(cold),
        "cold_p50_ms": nearest_rank([row["first_ms"] for row in cold], 50),
        "cold_rows": cold,
    }


def _timed(row: Row) -> Row:
    for name in ("request_sent_at", "first_token_at", "last_token_at", "finished_at"):
        row[name] = _time(row[name])
    first, sent, last = row["first_token_at"], row["request_sent_at"], row["last_token_at"]
    row["first_ms"] = row["rate"] = None
    if first is not None:
        row["first_ms"] = round((first - sent).total_seconds() * 1000, 3)
        writing_s = (last - first).total_seconds()
        if row["output_tokens"] and writing_s >= 0.2:
            row["rate"] = round((row["output_tokens"] - 1) / writing_s, 2)
    return row


def _time(value: Any) -> datetime | None:
    """SQLite hands out text."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value).replace(tzinfo=UTC)
    return value and value.astimezone(UTC)
