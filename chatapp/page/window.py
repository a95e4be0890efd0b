"""A conversation's path → the part of it that a page shows, and the links to what it leaves out.

Everything here is synchronous: it may read messages that a part needs.
"""

from dataclasses import dataclass
from uuid import UUID

from django.template.loader import render_to_string

from chatapp.models import Message
from chatapp.models.message import chain_to, path_of
from chatapp.models.tree import WHOLE, complete
from chatapp.page.transcript import article

MOST = WHOLE
MOST_CHARS = 200_000
_BEHIND = 8


@dataclass(frozen=True, slots=True)
class Shown:
    """What a page shows of a path: a part that stays as it is, and one that the socket keeps."""

    history: slice
    tail: slice


def shown(messages: list[Message], path: list[Message], message_id: UUID | None) -> Shown:
    """The newest part, split before what still grows; or that with the message, if it is older.

    Then the newest part follows, after a gap if there is one.
    """
    settled = next((i for i, message in enumerate(path) if message.is_live), len(path))
    start = newest(path)
    if message_id is not None:
        # A version that is not on the path leads to where it branched off.
        at = _shared(messages, path, message_id) - 1
        if 0 <= at < start:
            end = min(at + 1 + _BEHIND, settled)
            begin = min(newest(path[:end]), at)
            return Shown(slice(begin, end), slice(max(start, end), len(path)))
    return Shown(slice(min(start, settled), settled), slice(settled, len(path)))


def newest(messages: list[Message]) -> int:
    """Where the last of `messages` begin that one part may hold; completes those."""
    last = messages[-MOST:]
    complete(last)
    taken = chars = 0
    for message in reversed(last):
        chars += len(message.text) + len(message.reasoning)
        if taken and chars > MOST_CHARS:
            break
        taken += 1
    return len(messages) - taken


def next_part(
    messages: list[Message], before: UUID, after: UUID | None, *, forward: bool = False
) -> str:
    """The part that ends at `before`, or begins at `after`, and the link to what is still left."""
    path = path_of(messages)
    end = _shared(messages, path, before, itself=False)
    begin = _shared(messages, path, after) if after else 0
    if end <= begin:
        return ""
    if forward:
        stop = min(begin + MOST, end)
        return articles(path[begin:stop]) + rest(path, stop, end, before)
    start = begin + newest(path[begin:end])
    return rest(path, begin, start) + articles(path[start:end])


def rest(path: list[Message], begin: int, end: int, before: UUID | None = None) -> str:
    """The link to the messages of the path from `begin` to `end` that the page leaves out.

    `before` is the message that stands after them, unless it is the path's.
    """
    if begin >= end:
        return ""
    context = {
        "conversation_id": path[begin].conversation_id,
        "gap": Gap(
            before=before or path[end].pk,
            after=path[begin - 1].pk if begin else None,
            count=end - begin,
            last=path[end - 1].pk,
            first=path[begin].pk,
            further=path[min(end, begin + MOST - _BEHIND) - 1].pk,
        ),
    }
    return render_to_string("_rest.html", context).strip()


def articles(messages: list[Message]) -> str:
    """Their articles as they stand in the database, one after the other."""
    complete(messages)
    return "".join(map(article, messages))


@dataclass(frozen=True, slots=True)
class Gap:
    """Messages left out: `before` stands after them and `after`, if any, before them.

    A page around `further` shows on from `first`.
    """

    before: UUID
    after: UUID | None
    count: int
    last: UUID
    first: UUID
    further: UUID


def _shared(
    messages: list[Message], path: list[Message], message_id: UUID, *, itself: bool = True
) -> int:
    """How many messages of the path lead to this one, which may be no more on it."""
    chain = chain_to(messages, message_id)
    known = set(chain if itself else chain[:-1])
    return sum(1 for message in path if message.pk in known)
