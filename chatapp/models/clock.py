"""A time for what comes after others, though a clock that went ahead gave them theirs."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.utils import timezone


def now_after(times: Iterable[datetime]) -> datetime:
    """Now, or just after the latest of `times` if that is later."""
    return max([timezone.now(), *(at + timedelta(microseconds=1) for at in times)])
