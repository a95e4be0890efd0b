"""A filtered list of any length → pages of its first ten thousand."""

from typing import cast

from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.utils.functional import cached_property

MOST = 10_000


class Bounded(Paginator):  # type: ignore[type-arg]
    """Counts no further than `MOST`, so that a page costs the same however many there are."""

    @cached_property
    def count(self) -> int:
        return min(self._found, MOST)

    @property
    def is_cut(self) -> bool:
        """Whether there are more than the pages show."""
        return self._found > MOST

    @cached_property
    def _found(self) -> int:
        found = cast("QuerySet[Model]", self.object_list)
        return found.order_by()[: MOST + 1].count()
