"""Words in → a person's conversations that have them, in title or text, each with the place.

Everything here is synchronous.
"""

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from itertools import chain, pairwise
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import Q
from django.utils.translation import gettext as _

from chatapp.errors import InvalidInput
from chatapp.models import Conversation, Message
from chatapp.models.search import folded, matching, phrases_in

MOST_HITS = 50
MOST_CHARS = 200
_CONTEXT_CHARS = 70


@dataclass(frozen=True, slots=True)
class Hit:
    """One conversation; `pieces` are its words around the match, alternately plain and matching.

    `message_id` is the message they are in, None if the title alone has the words.
    """

    conversation: Conversation
    pieces: list[str]
    message_id: UUID | None = None


def search(user: User, query: str) -> list[Hit]:
    """The newest conversations with every word of `query`, titles first."""
    if len(query) > MOST_CHARS:
        raise InvalidInput(_("A search can have %d characters; shorten it.") % MOST_CHARS)
    phrases = phrases_in(query)
    if not phrases:
        return []
    titled = _titled(user, re.findall(r"\w+", query))
    messages = matching(user.pk, phrases, MOST_HITS)
    found = dict.fromkeys([*(c.pk for c in titled), *messages])
    shown = list(found)[:MOST_HITS]
    conversations = Conversation.objects.defer("system_prompt", "parameters").in_bulk(shown)
    texts = _texts([messages[i] for i in shown if i in messages])
    hits = []
    for i in shown:
        if i not in conversations:
            continue  # removed for good meanwhile
        message_id = messages.get(i)
        text = texts.get(message_id, "") if message_id else ""
        hits.append(Hit(conversations[i], _around(text, phrases), message_id))
    return hits


def _titled(user: User, words: list[str]) -> list[Conversation]:
    titled = Q()
    for word in words:
        titled &= Q(title__icontains=word)
    mine = Conversation.objects.filter(titled, owner=user, deleted_at=None)
    return list(mine.only("pk")[:MOST_HITS])


def _texts(message_ids: list[UUID]) -> dict[UUID, str]:
    return dict(Message.objects.filter(pk__in=message_ids).values_list("pk", "text"))


def _around(text: str, phrases: Collection[list[str]]) -> list[str]:
    """The line around the first match, cut into plain text and matches by turns."""
    if not text:
        return []
    words = ("".join(tokens) for tokens in phrases)
    pattern = re.compile("|".join(map(re.escape, words)))
    text = unicodedata.normalize("NFC", text)
    first = pattern.search(folded(text))
    at = first.start() if first else 0
    start = max(0, at - _CONTEXT_CHARS)
    cut = " ".join(text[start : at + 2 * _CONTEXT_CHARS].split())
    line = ("…" if start else "") + cut + ("…" if at + 2 * _CONTEXT_CHARS < len(text) else "")
    spans = [match.span() for match in pattern.finditer(folded(line))]
    edges = [0, *chain.from_iterable(spans), len(line)]
    return [line[a:b] for a, b in pairwise(edges)]
