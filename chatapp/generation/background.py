"""Work that outlives whoever asked for it → tasks that the process keeps hold of."""

import asyncio
import contextvars
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from chatapp import logs

logger = logging.getLogger(__name__)

PAUSE_S = 3.0

_tasks: set[asyncio.Task[None]] = set()


def begin(work: Coroutine[Any, Any, None], ids: logs.Ids = logs.NOTHING) -> "asyncio.Task[None]":
    """Starts `work`; the event loop itself would let it be collected half-way.

    A fresh context: one inherited from a request would give the task a database thread and a
    connection of its own that nobody closes. `ids` are what its lines of log belong to.
    """
    context = contextvars.Context()
    context.run(logs.current.set, ids)
    task = asyncio.get_running_loop().create_task(work, context=context)
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)
    return task


async def unfailing(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Does `work` to its end, begun anew after a mistake of ours: nobody would see that it is no
    longer done."""
    while True:
        try:
            await work()
            return
        except Exception:
            logger.exception("work of the process broke and begins anew")
        await asyncio.sleep(PAUSE_S)


async def end() -> None:
    """Cancels all of it, and what it begins in ending, and waits until it is over."""
    while _tasks:
        for task in _tasks:
            task.cancel()
        await asyncio.wait(_tasks)
