"""Messages and running generations → the articles of the page, alike for page load and socket."""

import time
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Any
from uuid import UUID
from weakref import WeakValueDictionary
from zlib import crc32

from django.template.loader import render_to_string
from django.utils.translation import get_language

from chatapp.errors import Kind
from chatapp.generation.log import PARTS
from chatapp.generation.queue import Queue, Returned
from chatapp.generation.source import Source
from chatapp.limits.standing import Standing
from chatapp.models import Message, Role, Status
from chatapp.rendering.blocks import BITE_CHARS, Cursor, Document
from chatapp.rendering.fragments import Fragment, fragment, inert
from chatapp.rendering.markdown import plain

# So long a step goes on; what is begun by then, a block at most, is done.
STEP_S = 0.01
_ANY_ID = UUID(int=0)


class LiveReply:
    """A running reply as growing documents, shared by everyone who reads along.

    `parts` are those that have any text. It is read in steps, as the event loop has other things
    to do as well; `is_behind` if the last one had no time for all that had come.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self.documents = {
            part: Document(element_id(part, source.reply_id)) for part in PARTS.values()
        }
        self.parts: frozenset[str] = frozenset()
        self.is_behind = False
        self.is_over = False  # said of one whose source does not know it yet
        self._read_to = 0
        self._read_of_next = 0
        self._finished = False
        self._finishing = chain.from_iterable(d.finishing() for d in self.documents.values())

    def catch_up(self) -> None:
        """Takes over what the log has gained, or so much of it as a step has time for."""
        ends_at = time.perf_counter() + STEP_S
        self.is_behind = True
        while self._take_bite():
            for document in self.documents.values():
                document.read()
            if time.perf_counter() > ends_at:
                return
        while not self._finished and (self.is_over or not self.source.status.is_live):
            self._finished = next(self._finishing, True) is True
            if time.perf_counter() > ends_at:
                return
        self.is_behind = False

    def finish(self) -> None:
        """No more will come: what was held back, for it might have become something else, shows."""
        for _ in self._finishing:
            pass
        self._finished = True

    def _take_bite(self) -> bool:
        """Whether there is more."""
        entries, room = self.source.log.entries, BITE_CHARS
        while room > 0 and self._read_to < len(entries):
            delta = entries[self._read_to]
            part = PARTS[type(delta)]
            text = delta.text[self._read_of_next : self._read_of_next + room]
            self.documents[part].append(text)
            if part not in self.parts:
                self.parts |= {part}
            room -= len(text)
            self._read_of_next += len(text)
            if self._read_of_next == len(delta.text):
                self._read_to, self._read_of_next = self._read_to + 1, 0
        return self._read_to < len(entries)

    @property
    def open_size(self) -> int:
        """Characters that each frame renders anew."""
        return sum(self.documents[part].open_size for part in self.parts)


@dataclass(slots=True)
class Position:
    """What one reader's page shows of a live reply."""

    reply: LiveReply
    message: Message
    status: Status
    parts: frozenset[str]
    cursors: dict[str, Cursor]


# By language too: a box of code has a button with a word on it.
_live: WeakValueDictionary[tuple[UUID, str | None], LiveReply] = WeakValueDictionary()


def live_reply(source: Source) -> LiveReply:
    """The reply's documents, up to date with its log; they last as long as somebody reads."""
    key = (source.reply_id, get_language())
    reply = _live.get(key)
    if reply is None or reply.source is not source:
        reply = _live[key] = LiveReply(source)
    reply.catch_up()
    return reply


def look(message: Message) -> tuple[object, ...]:
    """What an article's appearance depends on, beside the text of a reply that is still growing."""
    status = "live" if message.is_live else message.status
    return status, message.versions, message.rating, message.rating_reason, len(message.seams)


def look_digest(message: Message) -> str:
    """`look` as the article of a settled message bears it, and the page tells it."""
    return f"{crc32(repr([str(each) for each in look(message)]).encode()):08x}"


def element_id(part: str, message_id: UUID) -> str:
    """The DOM id of a message (`message`) or of one of its parts."""
    return f"{part}-{message_id}"


def article(message: Message, *, read_only: bool = False) -> str:
    """A message as it stands in the database; `read_only` leaves its tools out."""
    if message.role == Role.USER:
        return _render(message, {"text": plain(message.text)}, read_only=read_only)
    parts = {
        part: finished_html(element_id(part, message.pk), text, get_language())
        for part in PARTS.values()
        if (text := getattr(message, part))
    }
    return _render(message, parts, read_only=read_only)


def live_article(message: Message, source: Source) -> tuple[str, Position]:
    """A running reply as its log has it, and the position of a page that shows it.

    Both are taken in one step, so nothing can fall between them.
    """
    reply = live_reply(source)
    message.status = shown_status(source)
    parts = {part: inert(reply.documents[part].html()) for part in reply.parts}
    cursors = {part: document.cursor() for part, document in reply.documents.items()}
    position = Position(reply, message, Status(message.status), reply.parts, cursors)
    return _render(message, parts), position


def queue_list(queue: Queue) -> str:
    """What waits to be sent, as it stands above the composer."""
    return render_to_string("_queue.html", {"queue": queue}).strip()


def left_line(low: Standing | None) -> str:
    """What is left of a limit, as it stands near the composer when it is little."""
    return render_to_string("_left.html", {"low": low}).strip()


def taken_back(queued_id: UUID, returned: Returned) -> Fragment:
    """A text and files for the composer, for the page that takes them out of the queue."""
    context = {"queued": queued_id, "text": plain(returned.text), "files": returned.files}
    return Fragment("returned", "innerHTML", render_to_string("_returned.html", context))


def growth(position: Position) -> list[Fragment]:
    """What brings a page from `position` to now; moves it there."""
    reply = position.reply
    reply.catch_up()
    status, parts = shown_status(reply.source), reply.parts
    fragments = _patches(position)
    if (status, parts) != (position.status, position.parts):
        position.message.status = position.status = status
        fragments.append(_around(position, parts))
    return fragments


def ending(position: Position, message: Message) -> list[Fragment]:
    """The last of a reply: what is missing, and the article as its saved row says.

    Parts that the page shows exactly as the row has them stay in place; any other difference
    between memory and row is settled in favour of the row.
    """
    reply = position.reply
    reply.catch_up()
    while reply.is_behind:
        reply.catch_up()
    position.message = message
    documents = reply.documents
    is_exact = all(getattr(message, part) == documents[part].text for part in documents)
    if is_exact:
        # The row can be ahead of a mirror, which has all of the text and does not know that.
        reply.finish()
    if not is_exact:
        return [Fragment(element_id("message", message.pk), "outerHTML", article(message))]
    if any(document.changed_at_finish for document in documents.values()):
        parts = {part: inert(documents[part].html()) for part in reply.parts}
        html = _render(message, parts)
        return [Fragment(element_id("message", message.pk), "outerHTML", html)]
    return [*_patches(position), _around(position, reply.parts)]


def shown_status(source: Source) -> Status:
    """The status to show: a reply has not ended before the database says so."""
    return source.status if source.status.is_live else Status.STREAMING


def _around(position: Position, parts: frozenset[str]) -> Fragment:
    """The article anew around the parts that the page shows already, which it keeps as they are."""
    html: dict[str, str] = dict.fromkeys(parts, "")
    for part in parts - position.parts:
        document = position.reply.documents[part]
        html[part] = inert(document.html())
        position.cursors[part] = document.cursor()
    article_html = _render(position.message, html, kept=position.parts)
    position.parts = parts
    return Fragment(element_id("message", position.message.pk), "outerHTML", article_html)


def _patches(position: Position) -> list[Fragment]:
    """What the parts lack that the page shows already. They come before the article around them,
    which may need a frame of its own: it must not say that a reply has ended before its text."""
    found: list[Fragment] = []
    for part, document in position.reply.documents.items():
        if part in position.parts:
            fresh, position.cursors[part] = document.patches(position.cursors[part])
            found += [fragment(patch) for patch in fresh]
    return found


@lru_cache(maxsize=128)
def finished_html(container_id: str, text: str, language: str | None) -> str:
    """A finished part's inner HTML, in the `language` that is the current one."""
    document = Document(container_id)
    document.append(text)
    document.finish()
    return inert(document.html())


def _render(
    message: Message,
    parts: dict[str, str],
    kept: frozenset[str] = frozenset(),
    *,
    read_only: bool = False,
) -> str:
    has_tools = not (message.is_live or read_only)
    context: dict[str, Any] = {
        "message": message,
        "parts": parts,
        "kept": kept,
        "look": look_digest(message) if has_tools else "",
        "tools": _tools(message) if has_tools else "",
        "read_only": read_only,
        "problem": Kind(message.error_kind) if message.error_kind else None,
    }
    # Without white space around it: a transcript that has lost all its articles is `:empty`.
    return render_to_string("_message.html", context).strip()


def _tools(message: Message) -> str:
    """The buttons under it. Most messages' differ by the id alone, and rendering them costs several
    times as much as all else of an article; a page that is opened shows dozens at once."""
    answers_nothing = message.role == Role.ASSISTANT and message.parent_id is None
    if message.rating or len(message.versions) > 1 or answers_nothing:
        return render_to_string("_tools.html", {"message": message})
    role, has_text = Role(message.role), bool(message.text)
    html = _usual_tools(role, has_text, message.can_continue, get_language())
    return html.replace(str(_ANY_ID), str(message.pk))


@lru_cache
def _usual_tools(role: Role, has_text: bool, can_continue: bool, language: str | None) -> str:
    """Of a message that has no other version and no rating, in the current `language`."""
    usual = {
        "pk": _ANY_ID,
        "parent_id": _ANY_ID,
        "role": role,
        "text": has_text,
        "can_continue": can_continue,
    }
    return render_to_string("_tools.html", {"message": usual})
