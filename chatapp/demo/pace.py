"""Seconds since the first token → how many tokens are due; pure, so that time never drifts.

Every wait is computed from the start of the answer, never from the last write: a late write is
followed by a larger one, and the average stays what was asked for.
"""

from dataclasses import dataclass
from math import ceil

WRITES_PER_S = 250
MAX_TOKENS_PER_WRITE = 512

_TIMER_PRECISION_S = 0.001  # a timer may fire early by as much


@dataclass(frozen=True, slots=True)
class Pace:
    """Tokens per second, 0 for as fast as it goes; `burst` tokens come together."""

    tokens_per_s: float = 60.0
    burst: int = 1

    def due(self, sent: int, elapsed_s: float) -> int:
        """How many tokens to write now, at least one; the first are due at zero seconds."""
        if not self.tokens_per_s:
            return MAX_TOKENS_PER_WRITE
        step = self._tokens_per_write
        until_now_s = elapsed_s + _TIMER_PRECISION_S
        by_now = (int(until_now_s * self.tokens_per_s / step) + 1) * step
        return min(max(by_now - sent, 1), MAX_TOKENS_PER_WRITE)

    def wait_s(self, sent: int, elapsed_s: float) -> float:
        """How long to wait until the next token is due, zero if it is late."""
        if not self.tokens_per_s:
            return 0.0
        return max(sent / self.tokens_per_s - elapsed_s, 0.0)

    @property
    def _tokens_per_write(self) -> int:
        return max(self.burst, ceil(self.tokens_per_s / WRITES_PER_S))
