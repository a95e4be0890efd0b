"""A conversation's rows and growing replies → the fragments that keep one open page up to date."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from uuid import UUID

from django.template.loader import render_to_string

from chatapp.generation import mirrors, registry
from chatapp.generation.log import PARTS
from chatapp.generation.queue import Queue, queue_of
from chatapp.generation.source import Source
from chatapp.models import Conversation, Message
from chatapp.models.conversation import is_kept
from chatapp.models.tree import tree_of
from chatapp.page.tail import Step, Tail
from chatapp.page.transcript import (
    LiveReply,
    Position,
    article,
    element_id,
    ending,
    growth,
    live_article,
    live_reply,
    queue_list,
)
from chatapp.rendering.fragments import Fragment


@dataclass(frozen=True, slots=True)
class News:
    """What the rows have that the page lacks; the articles of settled messages are rendered."""

    step: Step
    articles: dict[UUID, str]
    queue: Queue


class OpenPage:
    """What one page shows of a conversation, with a read-only position on each reply that grows.

    `news` reads and renders and belongs off the event loop. `take` and `growth` wait for nothing:
    rows, logs and positions fit together.
    """

    def __init__(self, conversation_id: UUID, tail: Tail) -> None:
        self._conversation_id = conversation_id
        self._tail = tail
        self._positions: dict[UUID, Position] = {}
        self._articles: dict[UUID, str] = {}
        self._ended: list[Source] = []
        self._prepared: list[LiveReply] = []
        self._has_buttons = False
        self._stoppable: UUID | None = None
        self._queue: str | None = None

    @property
    def is_growing(self) -> bool:
        return bool(self._positions)

    @property
    def has_ended(self) -> bool:
        """Whether the row of a reply that grows here is written, so that there is news."""
        return any(position.reply.source.is_saved for position in self._positions.values())

    @property
    def tokens(self) -> int:
        """How many have come for the replies that grow here."""
        return sum(len(position.reply.source.log.entries) for position in self._positions.values())

    @property
    def open_size(self) -> int:
        """Characters that each frame renders anew."""
        return sum(position.reply.open_size for position in self._positions.values())

    @property
    def is_behind(self) -> bool:
        """Whether growth has more to show than it had time for."""
        return any(position.reply.is_behind for position in self._positions.values())

    def begin_at(self, message_id: UUID) -> None:
        """The page has loaded older messages, the first of them this one."""
        self._tail.first = message_id

    def news(self) -> News:
        """Of a reply that the page sees growing to its end only that is still to be sent, and not
        rendered.

        Raises Conversation.DoesNotExist once it is deleted.
        """
        if not is_kept(self._conversation_id):
            raise Conversation.DoesNotExist
        step = self._tail.step_to(tree_of(self._conversation_id))
        articles = {
            message.pk: article(message)
            for message in step.rendered
            if not message.is_live and not self._has_all_of(message)
        }
        return News(step, articles, queue_of(self._conversation_id, step.path))

    def preparing(self, news: News) -> Iterator[None]:
        """Reads, in steps of the event loop, the replies that `take` shows or ends."""
        fresh = [live_reply(_source_of(m)) for m in news.step.rendered if m.is_live]
        self._prepared = [*fresh, *(position.reply for position in self._positions.values())]
        for message in news.step.rendered:
            if not message.is_live and self._has_all_of(message):
                self._positions[message.pk].reply.is_over = True
        for reply in self._prepared:
            reply.catch_up()
            while reply.is_behind:
                yield
                reply.catch_up()

    def take(self, news: News) -> tuple[list[Fragment], list[Source]]:
        """The fragments, and the replies that were growing on the page and have ended."""
        self._articles = news.articles
        fragments = self._tail.take(news.step, self._article, self._change)
        self._positions = {i: p for i, p in self._positions.items() if i in self._tail}
        # Nothing is kept: a mirror lives as long as somebody reads it.
        ended, self._articles, self._ended, self._prepared = self._ended, {}, [], []
        return fragments + self._buttons() + self._queued(news.queue), ended

    def growth(self) -> Iterator[Fragment]:
        """What the growing replies have more than the page shows; from now on it shows it."""
        return chain.from_iterable(map(growth, self._positions.values()))

    def leave(self) -> None:
        """Lets go of the replies."""
        self._positions.clear()
        self._prepared.clear()

    def _article(self, message: Message) -> str:
        if not message.is_live:
            return self._articles.get(message.pk) or article(message)
        html, self._positions[message.pk] = live_article(message, _source_of(message))
        return html

    def _has_all_of(self, message: Message) -> bool:
        position = self._positions.get(message.pk)
        chars = sum(len(getattr(message, part)) for part in PARTS.values())
        return position is not None and position.reply.source.log.chars >= chars

    def _change(self, message: Message) -> list[Fragment]:
        """A message that the page shows, as it looks now."""
        position = self._positions.pop(message.pk, None)
        if position is not None and not message.is_live:
            self._ended.append(position.reply.source)
            return ending(position, message)
        return [Fragment(element_id("message", message.pk), "outerHTML", self._article(message))]

    def _buttons(self) -> list[Fragment]:
        """Send or Stop, whenever which of them it is has changed."""
        live = next(iter(self._positions), None)
        if self._has_buttons and live == self._stoppable:
            return []
        self._has_buttons, self._stoppable = True, live
        buttons = render_to_string("_buttons.html", {"live": live})
        return [Fragment("buttons", "innerHTML", buttons)]

    def _queued(self, queue: Queue) -> list[Fragment]:
        """What waits, whenever that has changed."""
        html = queue_list(queue)
        if html == self._queue:
            return []
        self._queue = html
        return [Fragment("queue", "innerHTML", html)]


def _source_of(message: Message) -> Source:
    return registry.find(message.pk) or mirrors.follow(message)
