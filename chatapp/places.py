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
_by_person: defaultdict[int, set["Place"]] = defaultdict(set)
_pages: defaultdict[int, dict[str, "Place"]] = defaultdict(dict)
# Places are taken on the event loop and given to people on database threads.
_lock = threading.Lock()


@dataclass(eq=False, slots=True)
class Place:
    """One socket's. `page` names the page that opened it, the same for each of its connections;
    `give_way` is called when the page has opened another, `look_again` when the person's session or
    account may be over, both on any thread."""

    page: str
    give_way: Callable[[], None]
    look_again: Callable[[], None]
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
            if self._person == person_id or self not in _taken:
                return True
            pages = {} if most is None else _pages[person_id]
            before = pages.get(self.page)
            if before is None and most is not None and len(pages) >= most:
                return False
            pages[self.page], self._person = self, person_id
            _by_person[person_id].add(self)
        if before is not None:
            before.give_way()
        return True

    def leave(self) -> None:
        with _lock:
            _taken.discard(self)
            if self._person is None:
                return
            pages = _pages[self._person]
            if pages.get(self.page) is self:
                del pages[self.page]
            if not pages:
                del _pages[self._person]
            _by_person[self._person].discard(self)
            if not _by_person[self._person]:
                del _by_person[self._person]


def look_again(person_id: int) -> None:
    """Has all sockets of the person find out whether they are still theirs; on any thread."""
    with _lock:
        places = list(_by_person.get(person_id, ()))
    for place in places:
        place.look_again()


def taken() -> int:
    """How many sockets this process holds."""
    return len(_taken)
