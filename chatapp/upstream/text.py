"""Text as JSON and bytes bring it in → well-formed Unicode out, whole across deltas.

Python's `json` keeps lone surrogates and encoding fails later; PostgreSQL stores no U+0000 and
HTML has no way to write it. Both become U+FFFD, as a decoder of broken UTF-8 would say it.
"""

import re

_SUSPECT = re.compile("[\0\ud800-\udfff]")


class TextJoiner:
    """Joins surrogate pairs that lie in two deltas. Holds back at most one half of a pair."""

    def __init__(self) -> None:
        self._high = ""

    def feed(self, text: str) -> str:
        """What is whole so far; can be empty."""
        if not self._high and not _SUSPECT.search(text):
            return text
        text, self._high = self._high + text, ""
        if "\ud800" <= text[-1:] <= "\udbff":
            text, self._high = text[:-1], text[-1]
        return well_formed(text)

    def close(self) -> str:
        """U+FFFD if half a pair was left alone, else nothing."""
        half, self._high = self._high, ""
        return well_formed(half)


def well_formed(text: str) -> str:
    """`text` with surrogate pairs joined; lone surrogates and U+0000 become U+FFFD."""
    if not _SUSPECT.search(text):
        return text
    # UTF-16 is where surrogates come from: its decoder joins the pairs and replaces the rest.
    joined = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return joined.replace("\0", "\N{REPLACEMENT CHARACTER}")
