"""Rows → locked until the transaction ends, always in the same order."""

from typing import Any

from django.db.models import QuerySet


def lock(rows: QuerySet[Any]) -> None:
    """So that two who lock the same rows never wait for each other; the order of the tables is:
    what waits in a queue, messages, their conversation, its person's counters. Nothing on SQLite,
    which lets one write at a time."""
    list(rows.select_for_update().order_by("pk").values_list("pk"))
