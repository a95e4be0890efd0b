"""Waits for the network in → the answer broken off when one of them is too long.

One timer for each answer, armed anew only when it fires: a timer for each read would cost more
than reading a token does.
"""

import asyncio
import math
from typing import Protocol

from chatapp.errors import Problem

_PULSE_S = 1.0


class Connection(Protocol):
    """What carries the answer."""

    def is_open(self) -> bool:
        """False once it was lost."""
        ...

    def abort(self) -> None:
        """Ends it; a read that waits then fails."""
        ...


class Watchdog:
    """Aborts when a wait or the whole answer takes too long; `problem` then says which.

    Only waiting counts as silence: a slow reader is not the upstream's fault. Once a second it
    also looks whether a read waits for a lost connection: aiohttp wakes none when a chunk of the
    body is malformed.
    """

    def __init__(self, connection: Connection, deadline: float, overrun: Problem) -> None:
        self.problem: Problem | None = None
        self._connection = connection
        self._deadline = deadline
        self._overrun = overrun
        self._loop = asyncio.get_running_loop()
        self._waiting_since = math.inf
        self._limit_s = math.inf
        self._silence = overrun
        self._timer: asyncio.TimerHandle | None = None

    def allow(self, limit_s: float, silence: Problem) -> None:
        """From now on a wait of `limit_s` is too long, which is `silence`."""
        self._limit_s, self._silence = limit_s, silence
        self._arm(self._loop.time())

    def wait_begins(self) -> None:
        self._waiting_since = self._loop.time()

    def wait_ends(self) -> None:
        self._waiting_since = math.inf

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self, now: float) -> None:
        self.stop()
        # A wait that begins later is due later: until then there is time to look again.
        due = min(min(self._waiting_since, now) + self._limit_s, self._deadline, now + _PULSE_S)
        self._timer = self._loop.call_at(due, self._check)

    def _check(self) -> None:
        now = self._loop.time()
        if now >= self._deadline:
            self._bite(self._overrun)
        elif now >= self._waiting_since + self._limit_s:
            self._bite(self._silence)
        elif self._waiting_since < now and not self._connection.is_open():
            self._bite(None)
        else:
            self._arm(now)

    def _bite(self, problem: Problem | None) -> None:
        self._timer = None
        self.problem = problem
        self._connection.abort()
