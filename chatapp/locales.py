"""A person's language and time zone → where their work is done, and how numbers are told there."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from django.utils import timezone, translation
from django.utils.formats import number_format

P = ParamSpec("P")
T = TypeVar("T")


def carried(work: Callable[P, T]) -> Callable[P, T]:
    """`work` for another thread or task, in the language and zone of whoever asks for it here.

    Django's own context, which both are part of, stays on its thread.
    """
    zone, language = timezone.get_current_timezone(), translation.get_language()

    def as_here(*args: P.args, **kwargs: P.kwargs) -> T:
        with timezone.override(zone), translation.override(language):
            return work(*args, **kwargs)

    return as_here


def counted(number: float, decimals: int | None = None) -> str:
    """`32000` → “32,000”, or “32.000” in German; with so many decimals, else as many as it has."""
    rounded = number if decimals is None else f"{number:.{decimals}f}"  # Django would cut it off
    told: str = number_format(rounded, force_grouping=True)
    return told
