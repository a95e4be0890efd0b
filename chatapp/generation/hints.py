"""“Something changed in this conversation, or in this person's list” → those who watch wake up.

A hint carries nothing and may be lost or repeated without harm: a connection that wakes reads the
log and the rows itself, and wakes now and then anyway.
"""

import asyncio
from collections import defaultdict
from uuid import UUID


class Watch:
    """One connection's view of the changes of a conversation and of its person's list.

    It waits once a frame and is woken once a token, so it keeps one timer, which is moved only
    when it fires, and a bare future instead of an event.
    """

    def __init__(self) -> None:
        self.turns_changed = False
        self.list_changed = False
        self._loop = asyncio.get_running_loop()
        self._is_woken = False
        self._waiter: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0

    async def change(self, timeout_s: float) -> None:
        """Returns at the next hint, or after `timeout_s` seconds without one."""
        if not self._is_woken:
            self._set_timer(self._loop.time() + timeout_s)
            self._waiter = self._loop.create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        self._is_woken = False

    def wake(self, turns_changed: bool = False, list_changed: bool = False) -> None:
        self.turns_changed |= turns_changed
        self.list_changed |= list_changed
        self._is_woken = True
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def close(self) -> None:
        """Ends the timer."""
        if self._timer is not None:
            self._timer.cancel()

    def _set_timer(self, due: float) -> None:
        self._due = due
        if self._timer is None or self._timer.when() > due:
            self.close()
            self._timer = self._loop.call_at(due, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        if self._loop.time() >= self._due:
            self.wake()
        else:
            self._set_timer(self._due)


_watches: defaultdict[UUID, set[Watch]] = defaultdict(set)
_lists: defaultdict[int, set[Watch]] = defaultdict(set)


def watch(conversation_id: UUID) -> Watch:
    """A new watch; the caller must `unwatch` it."""
    watching = Watch()
    _watches[conversation_id].add(watching)
    return watching


def unwatch(conversation_id: UUID, watching: Watch) -> None:
    watching.close()
    watchers = _watches[conversation_id]
    watchers.discard(watching)
    if not watchers:
        del _watches[conversation_id]


def watched() -> set[UUID]:
    """The conversations that somebody watches here."""
    return set(_watches)


def notify(conversation_id: UUID, *, turns_changed: bool = False) -> None:
    """Wakes everyone who watches; `turns_changed` says that messages came, went or ended."""
    for watching in _watches.get(conversation_id, ()):
        watching.wake(turns_changed)


def watch_list(person_id: int, watching: Watch) -> None:
    """From now on it is woken for the person's list too, until `unwatch_list`."""
    _lists[person_id].add(watching)


def unwatch_list(person_id: int, watching: Watch) -> None:
    watchers = _lists[person_id]
    watchers.discard(watching)
    if not watchers:
        del _lists[person_id]


def watched_lists() -> set[int]:
    """The people whose list somebody watches here."""
    return set(_lists)


def notify_list(person_id: int) -> None:
    """Wakes the person's pages: a conversation came, went, moved or got another name."""
    for watching in _lists.get(person_id, ()):
        watching.wake(list_changed=True)


def notify_all() -> None:
    """Wakes everyone to read their rows: hints may have been lost."""
    for conversation_id in watched():
        notify(conversation_id, turns_changed=True)
    for person_id in watched_lists():
        notify_list(person_id)
