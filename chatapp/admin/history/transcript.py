"""A conversation's tree → its messages in order of asking, each with its place in the tree."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any
from uuid import UUID

from django.core.paginator import EmptyPage, Paginator
from django.utils.translation import gettext as _

from chatapp.composing.chat_settings import LABELS
from chatapp.errors import InvalidInput, Kind
from chatapp.models import Conversation, Message, Role
from chatapp.models.message import path_of
from chatapp.models.tree import complete, tree_of

A_PAGE = 50


@dataclass(frozen=True, slots=True)
class Place:
    """A message's number in the conversation, from 1, and the page that it is on."""

    number: int
    page: int
    is_chosen: bool = False


@dataclass(frozen=True)
class Entry:
    """One message. `versions` are the places of all at its turn, itself among them; `is_shown` says
    whether its person sees it; `before` is the reply above it on the page."""

    message: Message
    place: Place
    answers: Place | None
    versions: list[Place]
    is_shown: bool
    before: Message | None

    @property
    def is_reply(self) -> bool:
        return self.message.role == Role.ASSISTANT

    @property
    def follows_another(self) -> bool:
        """Whether it does not simply follow the message above it."""
        return self.answers is not None and self.answers.number != self.place.number - 1

    @property
    def version(self) -> int:
        return self.versions.index(self.place) + 1

    @property
    def problem(self) -> Kind | None:
        """The kind of its failure, if it is one that we know."""
        kind = self.message.error_kind
        return Kind(kind) if kind in set(Kind) else None

    @property
    def first_token_s(self) -> float | None:
        return _seconds(self.message.request_sent_at, self.message.first_token_at)

    @property
    def total_s(self) -> float | None:
        """From asking to the end; of one that was continued, from the last request."""
        began = self.message.request_sent_at if self.message.seams else self.message.asked_at
        return _seconds(began, self.message.finished_at)

    @property
    def tokens_per_s(self) -> float | None:
        """None of one that was continued: its tokens are those of all its calls."""
        wrote_s = _seconds(self.message.first_token_at, self.message.last_token_at)
        if self.message.seams or not self.message.output_tokens or not wrote_s:
            return None
        return self.message.output_tokens / wrote_s

    @property
    def parameters(self) -> list[tuple[str, Any]]:
        """What it was asked with, by the names that people know."""
        values = self.message.parameters or {}
        return [(str(LABELS.get(name, name)), value) for name, value in values.items()]

    @property
    def has_prompt_of_before(self) -> bool:
        """Whether the reply above it was made with the same system prompt."""
        return self.before is not None and self.before.system_prompt == self.message.system_prompt

    @cached_property
    def pieces(self) -> list[str]:
        """Its text, cut where it was continued."""
        text, seams = self.message.text, sorted({s for s in self.message.seams or [] if s > 0})
        edges = [0, *(seam for seam in seams if seam < len(text)), len(text)]
        return [text[a:b] for a, b in pairwise(edges)]


class Transcript:
    """All messages of a conversation, or only those that its person sees, in pages.

    Places are those in the whole of it.
    """

    def __init__(self, conversation: Conversation, *, only_shown: bool = False) -> None:
        messages = tree_of(conversation.pk)
        path = path_of(messages)
        self.count, self.shown_count = len(messages), len(path)
        self.only_shown = only_shown
        self.pages = Paginator(path if only_shown else messages, A_PAGE)
        self._shown = {message.pk for message in path}
        self._turns = _turns(messages)
        chosen = {max(turn, key=lambda m: m.chosen_at).pk for turn in self._turns.values()}
        self._places = {
            message.pk: Place(i + 1, i // A_PAGE + 1, message.pk in chosen)
            for i, message in enumerate(messages)
        }

    def entries(self, page: int) -> list[Entry]:
        """The messages of one page, completely read. Raises InvalidInput if there is none."""
        try:
            messages = list(self.pages.page(page).object_list)
        except EmptyPage:
            raise InvalidInput(_("This transcript has no page %(p)s.") % {"p": page}) from None
        complete(messages)
        return list(self._entries(messages))

    def _entries(self, messages: Iterable[Message]) -> Iterator[Entry]:
        before: Message | None = None
        for message in messages:
            yield Entry(
                message,
                place=self._places[message.pk],
                answers=self._places.get(message.parent_id) if message.parent_id else None,
                versions=[self._places[m.pk] for m in self._turns[message.parent_id]],
                is_shown=message.pk in self._shown,
                before=before,
            )
            if message.role == Role.ASSISTANT:
                before = message


def _turns(messages: Iterable[Message]) -> dict[UUID | None, list[Message]]:
    """A message's id → those that follow it, in order of asking."""
    turns: defaultdict[UUID | None, list[Message]] = defaultdict(list)
    for message in messages:
        turns[message.parent_id].append(message)
    return turns


def _seconds(begin: Any, end: Any) -> float | None:
    return max((end - begin).total_seconds(), 0.0) if begin and end else None
