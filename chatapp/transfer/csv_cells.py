"""Values → a row of a CSV table, in which no spreadsheet finds a formula.

Source: OWASP, CSV Injection; further forms of the signs as spreadsheets take them in.
"""

import csv
import unicodedata
from collections.abc import Iterable
from datetime import date
from io import StringIO
from typing import Any

# Spreadsheets guess at another encoding without it.
BYTE_ORDER_MARK = "\ufeff"
# As normalized: full-width, small and raised forms are the same signs to some spreadsheets.
_FORMULA_SIGNS = tuple("=+-@\N{MINUS SIGN}")
_BREAKS = ("\t", "\r", "\n")


def csv_row(values: Iterable[Any]) -> str:
    """A line of the table, its end included."""
    sink = StringIO()
    csv.writer(sink).writerow(map(_cell, values))
    return sink.getvalue()


def safe_cell(text: str) -> str:
    """The text with an apostrophe before what could begin a formula, however it is disguised."""
    is_formula = unicodedata.normalize("NFKC", _visible(text)[:1]).startswith(_FORMULA_SIGNS)
    return f"'{text}" if is_formula or text.startswith(_BREAKS) else text


def _cell(value: Any) -> Any:
    if isinstance(value, date):  # which a datetime is as well
        return value.isoformat()
    return safe_cell(value) if isinstance(value, str) else value


def _visible(text: str) -> str:
    """From the first character on that is neither a space nor invisible."""
    for at, character in enumerate(text):
        if unicodedata.category(character)[0] not in "CZ":
            return text[at:]
    return ""
