"""Text that an upstream sent in → the same without the key, however it is cut or escaped."""

import json
import re
from urllib.parse import quote

IN_ITS_PLACE = "[key]"

# Shorter ones are no secret, nor are the words that guides to local servers give instead of a key;
# they would take much else along.
_MIN_KEY_CHARS = 4
_PLACEHOLDERS = {
    *("api-key", "dummy", "empty", "fake", "no-key", "no-key-required", "none", "not-needed"),
    *("llama", "lm-studio", "local", "null", "ollama", "sk-no-key-required", "test", "token"),
    "vllm",
}
# So much of a key's beginning tells something of it; less may be the end of any sentence.
_TELLING_CHARS = 8


def without_key(text: str, key: str) -> str:
    """`text` with every mention of the key replaced."""
    for form in _forms(key):
        text = text.replace(form, IN_ITS_PLACE)
    return text


class KeyRemover:
    """Removes the key from text that comes in pieces.

    Holds back what may be its beginning, no longer than until the next piece says what it is; the
    first few characters, with which many a word ends, tell nothing and are given out at once.
    """

    def __init__(self, key: str) -> None:
        self._forms = _forms(key)
        self._pattern = re.compile("|".join(map(re.escape, self._forms)))
        self._first_chars = re.compile("|".join({re.escape(form[0]) for form in self._forms}))
        # The end of what came with which the key begins, and how much of it is given out.
        self._begun, self._given = "", 0

    def feed(self, text: str) -> str:
        """What is surely not part of the key, or too little of it; can be empty."""
        if not self._forms or not (self._begun or self._first_chars.search(text)):
            return text
        text = self._pattern.sub(IN_ITS_PLACE, self._begun + text)
        given = self._given if text.startswith(self._begun[: self._given]) else 0
        self._begun = self._beginning_at_end(text)
        begin = len(text) - len(self._begun)
        end = len(text) if len(self._begun) < _MIN_KEY_CHARS else max(given, begin)
        self._given = end - begin
        return text[given:end]

    def close(self) -> str:
        """The rest: a beginning of the key that is long enough to tell something goes too."""
        begun, given, self._begun, self._given = self._begun, self._given, "", 0
        return IN_ITS_PLACE if len(begun) >= _TELLING_CHARS else begun[given:]

    def _beginning_at_end(self, text: str) -> str:
        """The longest end of `text` that a form of the key begins with."""
        earliest = max(0, len(text) - len(self._forms[0]) + 1)
        for first in self._first_chars.finditer(text, earliest):
            end = text[first.start() :]
            if any(form.startswith(end) for form in self._forms):
                return end
        return ""


def _forms(key: str) -> list[str]:
    """The key as it is, in JSON and in a URL; the longest first, as one may hold another."""
    key = key.strip()
    if len(key) < _MIN_KEY_CHARS or key.lower() in _PLACEHOLDERS:
        return []
    quoted = json.dumps(key)[1:-1]
    forms = {key, quoted, quoted.replace("/", "\\/"), quote(key), quote(key, safe="")}
    return sorted(forms, key=len, reverse=True)
