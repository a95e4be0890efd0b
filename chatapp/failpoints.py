"""Named points where a test can hold, break or end the process. Unarmed, they cost a look-up.

`FAILPOINTS=reply.stored=kill,final.write=sleep:3` in the environment arms a process from outside:
`kill` ends it at once, `hang` suspends it until SIGCONT, `sleep:S` waits S seconds.
"""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from chatapp.errors import InvalidInput

POINTS = {
    "reply.stored": "its rows are committed, its generation has not started",
    "reply.called": "its generation has started, the upstream has not been called",
    "checkpoint.write": "a checkpoint is about to be written",
    "final.write": "the upstream has ended, the final row is about to be written",
    "final.written": "the final row is committed, nobody has been told",
    "queue.next": "a reply has ended, the next message that waits has not been sent",
    "stop.requested": "a stop is about to be passed on",
    "rows.read": "a socket has read the rows and not yet the logs",
    "lease.expired": "a dead owner's replies were found and are about to be ended",
}

Action = tuple[str, float]

_armed: dict[str, Action] = {}


@contextmanager
def armed(name: str, action: str) -> Iterator[None]:
    """Arms one point in this process, for the block."""
    _armed[_known(name)] = _parse(action)
    try:
        yield
    finally:
        del _armed[name]


def arm_from_settings() -> None:
    """Arms what FAILPOINTS names. Raises InvalidInput for what there is not."""
    for pair in settings.FAILPOINTS:
        name, _, action = pair.partition("=")
        _armed[_known(name)] = _parse(action)


async def reach(name: str) -> None:
    """A point on the event loop."""
    if (action := _armed.get(name)) is not None:
        await asyncio.sleep(_pause_s(action))


def _pause_s(action: Action) -> float:
    verb, seconds = action
    if verb != "sleep":
        os.kill(os.getpid(), {"kill": signal.SIGKILL, "hang": signal.SIGSTOP}[verb])
    return seconds


def _known(name: str) -> str:
    if name not in POINTS:
        raise InvalidInput(f"FAILPOINTS: there is no “{name}”, only {', '.join(POINTS)}.")
    return name


def _parse(action: str) -> Action:
    verb, _, seconds = action.partition(":")
    try:
        pause_s = float(seconds or 0)
    except ValueError:
        pause_s = -1.0
    if verb not in ("kill", "hang", "sleep") or not 0 <= pause_s < float("inf"):
        raise InvalidInput(f"FAILPOINTS: a point can kill, hang or sleep:SECONDS, not “{action}”.")
    return verb, pause_s
