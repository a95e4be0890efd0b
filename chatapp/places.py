"""Sockets that open → whether there is a place for one more, of this person and in this process.

A page that comes back while its broken connection is still held takes its own place over: however
often a network fails, ten tabs stay ten.
"""

import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from django.conf import settings

_taken: set["Place"] = set()
_by_person: defaultdict[int, dict[str, "Place"]] = defaultdict(dict)
# Places are taken on the event loop and given to people on database threads.
_lock = threading.Lock()


@dataclass(eq=False, slots=True)
class Place:
    """One socket's. `page` names the page that opened it, the same for each of its connections;
    `give_way` is called, on any thread, when the page has opened another."""

    page: str
    give_way: Callable[[], None]
    _person: int | None = field(default=None, init=False)

    def take(self) -> bool:
        """Whether this process holds one socket more; counted from now on."""
        most = settings.LIMIT_SOCKETS_A_PROCESS
        with _lock:
            if most is not None and len(_taken) >= most:
                return False
            _taken.add(self)
            return True

    def is_for(self, person_id: int) -> bool:
        """Whether the person has a place for this page, which it takes.

        A socket that has left needs none: what it asked for before is still done.
        """
        most = settings.LIMIT_SOCKETS_A_PERSON
        with _lock:
            if most is None or self._person == person_id or self not in _taken:
                return True
            pages = _by_person[person_id]
            before = pages.get(self.page)
            if before is None and len(pages) >= most:
                return False
            pages[self.page], self._person = self, person_id
        if before is not None:
            before.give_way()
        return True

    def leave(self) -> None:
        with _lock:
            _taken.discard(self)
            if self._person is None:
                return
            pages = _by_person[self._person]
            if pages.get(self.page) is self:
                del pages[self.page]
            if not pages:
                del _by_person[self._person]


def taken() -> int:
    """How many sockets this process holds."""
    return len(_taken)
