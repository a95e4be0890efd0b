"""A conversation's rows → the fragments that bring a page's list of messages in line with them."""

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from uuid import UUID

from chatapp.models import Message
from chatapp.models.message import chain_to, path_of
from chatapp.models.tree import complete
from chatapp.page.transcript import element_id, look, look_digest
from chatapp.page.window import newest, rest
from chatapp.rendering.fragments import Fragment

ArticleOf = Callable[[Message], str]
ChangeOf = Callable[[Message], list[Fragment]]


@dataclass(frozen=True, slots=True)
class Step:
    """What makes the page show `path`: `fresh` messages come to its tail, which is `begun` anew
    unless it goes on; before them stands `link`, to those that it leaves out. Of a history that is
    gone nobody knows what the page shows."""

    path: list[Message]
    history: list[UUID]
    tail: list[UUID]
    gone: list[UUID]
    changed: list[Message]
    fresh: list[Message]
    begun: bool
    link: str
    is_history_gone: bool

    @property
    def rendered(self) -> list[Message]:
        """The messages whose articles are sent."""
        return [*self.changed, *self.fresh]


class Tail:
    """The messages that a page shows: `history` by HTTP, from `first` on; `tail` by its sockets.

    `shown` is what the page says that it has of the tail, from a socket before this one: the
    digests of the looks of its messages, empty where one was still growing. `known` says the same
    of the history.
    """

    def __init__(
        self,
        after: UUID | None,
        first: UUID | None,
        shown: Mapping[UUID, str] | None = None,
        known: Mapping[UUID, str] | None = None,
    ) -> None:
        self.first = first
        self._after = after
        self._history: list[UUID] | None = None
        self._shown = list(shown) if shown else None
        self._told = {**(known or {}), **(shown or {})}
        self._looks: dict[UUID, tuple[object, ...]] = {}

    def __contains__(self, message_id: UUID) -> bool:
        """Whether it is on the path that the page shows."""
        return message_id in self._looks

    def step_to(self, messages: list[Message]) -> Step:
        """Towards the path through `messages`, each as it looks now; reads what has to be shown.

        The first time replaces the tail whole, unless the page told what it shows; later ones
        append, unless a shown message went. A long tail begins late. Changes nothing yet, so it can
        be done off the event loop.
        """
        path = path_of(messages)
        ids = {message.pk for message in path}
        before = self._history_in(messages)
        history = [message_id for message_id in before if message_id in ids]
        following = path[len(history) :]
        shown = self._shown or []
        begin = next((i for i, m in enumerate(following) if shown and m.pk == shown[0]), None)
        start = len(history) + (newest(following) if begin is None else begin)
        tail = [message.pk for message in path[start:]]
        begun = self._shown is None or tail[: len(shown)] != shown
        fresh = path[start:] if begun else path[start + len(shown) :]
        step = Step(
            path=path,
            history=history,
            tail=tail,
            gone=[i for i in self._loaded(before) if i not in ids],
            changed=self._changed(path, set(history)),
            fresh=fresh,
            begun=begun,
            link=rest(path, len(history), start) if begun else "",
            is_history_gone=self._history is None and self._after is not None and not before,
        )
        complete(step.rendered)
        return step

    def take(self, step: Step, article_of: ArticleOf, change_of: ChangeOf) -> list[Fragment]:
        """The fragments of the step; from now on the page shows what it leads to."""
        changes = [fragment for message in step.changed for fragment in change_of(message)]
        removed = [Fragment(element_id("message", i), "delete") for i in step.gone]
        if step.is_history_gone:
            removed.append(Fragment("history", "innerHTML"))
        self._looks, self._told = {message.pk: look(message) for message in step.path}, {}
        if self.first not in self._looks:
            loaded = step.history if self.first is None else []
            self.first = next(iter([*loaded, *step.tail]), None)
        self._history, self._shown = step.history, step.tail
        html = step.link + "".join(map(article_of, step.fresh))
        if step.begun:
            return [*changes, *removed, Fragment("tail", "innerHTML", html)]
        return [*changes, *removed, *([Fragment("tail", "beforeend", html)] if html else [])]

    def _changed(self, path: list[Message], history: Set[UUID]) -> list[Message]:
        loaded = set(self._loaded([message.pk for message in path]))
        return [
            message
            for message in path
            if message.pk in loaded and self._looks_other(message, message.pk in history)
        ]

    def _looks_other(self, message: Message, is_history: bool) -> bool:
        if message.pk in self._told:
            return self._told[message.pk] != look_digest(message)
        if message.pk in self._looks:
            return self._looks[message.pk] != look(message)
        return is_history and message.is_live  # it was settled when it came with the page

    def _history_in(self, messages: list[Message]) -> list[UUID]:
        if self._history is None:
            return chain_to(messages, self._after) if self._after is not None else []
        return self._history

    def _loaded(self, ids: list[UUID]) -> list[UUID]:
        """Those that the page may have: from its first on, and what it says itself."""
        first = ids.index(self.first) if self.first in ids else 0
        return [i for at, i in enumerate(ids) if at >= first or i in self._told]
