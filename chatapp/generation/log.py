"""A reply's deltas in → an append-only log that readers follow by position.

Nothing is ever changed or taken out, so a position stays true for ever: readers can neither miss
nor repeat anything, however slow they are.
"""

from collections.abc import Iterable

from chatapp.events import Delta, ReasoningDelta, RefusalDelta, TextDelta

PARTS: dict[type[Delta], str] = {
    TextDelta: "text",
    ReasoningDelta: "reasoning",
    RefusalDelta: "refusal",
}


KINDS = {part: kind for kind, part in PARTS.items()}


class Log:
    """`entries[i]` is the i-th delta; `entries[position:]` is what a reader at `position` lacks."""

    def __init__(self) -> None:
        self.entries: list[Delta] = []
        self.chars = 0
        self._joined = dict.fromkeys(PARTS.values(), "")
        self._joined_to = 0

    def append(self, deltas: Iterable[Delta]) -> None:
        for delta in deltas:
            self.entries.append(delta)
            self.chars += len(delta.text)

    def texts(self) -> dict[str, str]:
        """The whole text of each part so far; costs only what is new since the last call."""
        fresh = self.entries[self._joined_to :]
        self._joined_to = len(self.entries)
        for kind, part in PARTS.items():
            self._joined[part] += "".join(delta.text for delta in fresh if type(delta) is kind)
        return dict(self._joined)
