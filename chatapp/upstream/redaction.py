"""Text that an upstream sent in → the same without the key, however it is cut or escaped."""

import json
import re
from urllib.parse import quote

IN_ITS_PLACE = "[key]"

# Shorter ones are no secret, and would take much else along.
_MIN_KEY_CHARS = 4


def without_key(text: str, key: str) -> str:
    """`text` with every mention of the key replaced."""
    for form in _forms(key):
        text = text.replace(form, IN_ITS_PLACE)
    return text


class KeyRemover:
    """Removes the key from text that comes in pieces. Holds back what may be its beginning."""

    def __init__(self, key: str) -> None:
        self._forms = _forms(key)
        self._pattern = re.compile("|".join(map(re.escape, self._forms)))
        self._held = ""

    def feed(self, text: str) -> str:
        """What is surely not part of the key; can be empty."""
        if not self._forms:
            return text
        text = self._pattern.sub(IN_ITS_PLACE, self._held + text)
        cut = len(text) - self._beginning_at_end(text)
        self._held = text[cut:]
        return text[:cut]

    def close(self) -> str:
        """The rest: a beginning of the key that is long enough to tell something goes too."""
        held, self._held = self._held, ""
        return IN_ITS_PLACE if len(held) >= _MIN_KEY_CHARS else held

    def _beginning_at_end(self, text: str) -> int:
        """How many characters at the end of `text` a form of the key begins with."""
        longest = max(map(len, self._forms)) - 1
        for length in range(min(longest, len(text)), 0, -1):
            if any(form.startswith(text[-length:]) for form in self._forms):
                return length
        return 0


def _forms(key: str) -> list[str]:
    """The key as it is, in JSON and in a URL; the longest first, as one may hold another."""
    key = key.strip()
    if len(key) < _MIN_KEY_CHARS:
        return []
    quoted = json.dumps(key)[1:-1]
    forms = {key, quoted, quoted.replace("/", "\\/"), quote(key), quote(key, safe="")}
    return sorted(forms, key=len, reverse=True)
