"""Values → a row of a CSV table, in which no spreadsheet finds a formula.

Source: OWASP, CSV Injection; further forms of the signs as spreadsheets take them in.
"""

import csv
import re
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
_AFTER_SEPARATORS = re.compile(r"(?<=[;\t\r\n])")
_BULLET = re.compile(r" *[-+] ")


def csv_row(values: Iterable[Any]) -> str:
    """A line of the table, its end included."""
    sink = StringIO()
    csv.writer(sink).writerow(map(_cell, values))
    return sink.getvalue()


def safe_cell(text: str) -> str:
    """The text with an apostrophe before what could begin a formula, however it is disguised.

    Within the text too: a spreadsheet that expects semicolons between cells, as many countries'
    do, takes no notice of our quotes. There a list's “- ” stays as it is.
    """
    first, *others = _AFTER_SEPARATORS.split(text)
    is_formula = text.startswith(_BREAKS) or _sign(text)
    inner = (f"'{part}" if _sign(part) and not _BULLET.match(part) else part for part in others)
    return "".join([f"'{first}" if is_formula else first, *inner])


def _cell(value: Any) -> Any:
    if isinstance(value, date):  # which a datetime is as well
        return value.isoformat()
    return safe_cell(value) if isinstance(value, str) else value


def _sign(text: str) -> bool:
    """Whether a formula begins it, behind what is a space, invisible or a quotation mark."""
    visible = (each for each in text if each != '"' and unicodedata.category(each)[0] not in "CZ")
    return unicodedata.normalize("NFKC", next(visible, "")).startswith(_FORMULA_SIGNS)
