"""A conversation's rows → the fragments that bring a page's list of messages in line with them."""

from collections.abc import Callable
from uuid import UUID

from chatapp.models import Message
from chatapp.models.message import chain_to, path_of
from chatapp.rendering.fragments import Fragment
from chatapp.transcript import element_id, look

ArticleOf = Callable[[Message], str]
ChangeOf = Callable[[Message], list[Fragment]]


class Tail:
    """The messages that a page shows: `history` by HTTP, `tail` by this socket."""

    def __init__(self, after: UUID | None) -> None:
        self._after = after
        self._history: list[UUID] = []
        self._shown: list[UUID] | None = None
        self._looks: dict[UUID, tuple[object, ...]] = {}

    def __contains__(self, message_id: UUID) -> bool:
        return message_id in (self._shown or ())

    def bring_to(
        self, messages: list[Message], article_of: ArticleOf, change_of: ChangeOf
    ) -> list[Fragment]:
        """What makes the page show the path through `messages`, each as it looks now.

        The first time replaces the tail whole; later ones append, unless a shown message went.
        """
        path = path_of(messages)
        ids = {message.pk for message in path}
        self._history = self._history_in(messages)
        gone = [message_id for message_id in self._history if message_id not in ids]
        self._history = [message_id for message_id in self._history if message_id in ids]
        tail = [message for message in path if message.pk not in set(self._history)]
        changes = [fragment for message in self._changed(path) for fragment in change_of(message)]
        removed = [Fragment(element_id("message", i), "delete") for i in gone]
        self._looks = {message.pk: look(message) for message in path}
        return changes + removed + self._show(tail, article_of)

    def lacks(self, messages: list[Message]) -> list[Message]:
        """The messages on the path that the page does not show yet, or not as they look now."""
        path = path_of(messages)
        shown = {*self._history_in(messages), *(self._shown or ())}
        changed = {message.pk for message in self._changed(path)}
        return [message for message in path if message.pk not in shown or message.pk in changed]

    def _changed(self, path: list[Message]) -> list[Message]:
        return [
            message
            for message in path
            if message.pk in self._looks and self._looks[message.pk] != look(message)
        ]

    def _history_in(self, messages: list[Message]) -> list[UUID]:
        if self._shown is None and self._after is not None:
            return chain_to(messages, self._after)
        return self._history

    def _show(self, tail: list[Message], article_of: ArticleOf) -> list[Fragment]:
        shown = self._shown
        self._shown = [message.pk for message in tail]
        if shown is not None and self._shown[: len(shown)] == shown:
            html = "".join(article_of(message) for message in tail[len(shown) :])
            return [Fragment("tail", "beforeend", html)] if html else []
        return [Fragment("tail", "innerHTML", "".join(article_of(message) for message in tail))]
