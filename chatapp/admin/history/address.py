"""What a list's address may hold, and says; everything else is refused with a sentence."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib.admin import SimpleListFilter
from django.contrib.admin.views.main import ChangeList
from django.http.request import QueryDict
from django.utils.translation import gettext as _

from chatapp.admin.history.dates import DateFilter
from chatapp.errors import InvalidInput
from chatapp.library.search import MOST_CHARS

# Beside the filters: the search, the page, the order.
_OWN = {"q", "p", "o"}
_ORDER = re.compile(r"(-?\d{1,2}(\.-?\d{1,2})*)?", re.ASCII)
_NUMBER = re.compile(r"\d{0,6}", re.ASCII)


def check(parameters: QueryDict, filters: Iterable[Any], *others: str) -> None:
    """Raises InvalidInput if a parameter is unknown, is there twice or can't be read; `filters` are
    the list's kinds of them, `others` parameters that a page has beside them."""
    known = _OWN.union(others, *map(_parameters_of, filters))
    for name, values in parameters.lists():
        words = {"name": name[:40]}
        if name not in known:
            raise InvalidInput(_("This list has no filter “%(name)s”.") % words)
        if len(values) > 1:
            raise InvalidInput(_("The filter “%(name)s” is there more than once.") % words)
        if "\0" in values[0]:
            raise InvalidInput(_("The filter “%(name)s” has a character of no text.") % words)
    page_number(parameters.get("p", ""))
    if not _ORDER.fullmatch(parameters.get("o", "")):
        raise InvalidInput(_("The order is made of the numbers of columns."))
    if len(parameters.get("q", "")) > MOST_CHARS:
        most = {"most": MOST_CHARS}
        raise InvalidInput(_("A search can have %(most)s characters; shorten it.") % most)


def said(changelist: ChangeList) -> Iterator[tuple[str, str]]:
    """What a list is filtered by: titles and choices, as they stand beside it."""
    if changelist.query:
        yield _("search"), changelist.query
    for spec in changelist.filter_specs:
        if isinstance(spec, DateFilter):
            yield from spec.said()
        elif isinstance(spec, SimpleListFilter) and (value := spec.value()) is not None:
            choices = {str(key): str(name) for key, name in spec.lookup_choices}
            yield str(spec.title), choices.get(value, value)


def page_number(text: str) -> int:
    """The page that an address names, the first if it names none. Raises InvalidInput."""
    if not _NUMBER.fullmatch(text):
        raise InvalidInput(_("The page is a number."))
    return int(text or 1)


def _parameters_of(kind: Any) -> list[str]:
    return ["when", "from", "to"] if kind is DateFilter else [kind.parameter_name]
