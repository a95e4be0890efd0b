"""Words in → a person's conversations that have them, in title or text, each with the place.

Everything here is synchronous.
"""

import re
from dataclasses import dataclass
from itertools import chain

from django.contrib.auth.models import User
from django.db.models import Q

from chatapp.errors import InvalidInput
from chatapp.models import Conversation
from chatapp.models.search import matching

MOST_HITS = 50
MOST_CHARS = 200
_CONTEXT_CHARS = 70


@dataclass(frozen=True, slots=True)
class Hit:
    """One conversation; `pieces` are its words around the match, alternately plain and matching."""

    conversation: Conversation
    pieces: list[str]


def search(user: User, query: str) -> list[Hit]:
    """The newest conversations with every word of `query`, titles first."""
    if len(query) > MOST_CHARS:
        raise InvalidInput(f"A search can have {MOST_CHARS} characters; shorten it.")
    words = re.findall(r"\w+", query)
    if not words:
        return []
    mine = Conversation.objects.filter(owner=user, deleted_at=None)
    titled = Q()
    for word in words:
        titled &= Q(title__icontains=word)
    hits = {c.pk: Hit(c, []) for c in mine.filter(titled)[:MOST_HITS]}
    entries = (
        matching(words)
        .filter(message__conversation__owner=user, message__conversation__deleted_at=None)
        .select_related("message__conversation")
        .order_by("-message__asked_at")[: MOST_HITS * 2]
    )
    for entry in entries:
        conversation = entry.message.conversation
        known = hits.get(conversation.pk)
        if known is None or not known.pieces:
            hits[conversation.pk] = Hit(conversation, _around(entry.text, words))
    return list(hits.values())[:MOST_HITS]


def _around(text: str, words: list[str]) -> list[str]:
    """The line around the first match, cut into plain text and matches by turns."""
    pattern = re.compile("|".join(map(re.escape, words)), re.IGNORECASE)
    first = pattern.search(text)
    at = first.start() if first else 0
    start = max(0, at - _CONTEXT_CHARS)
    cut = " ".join(text[start : at + 2 * _CONTEXT_CHARS].split())
    line = ("…" if start else "") + cut + ("…" if at + 2 * _CONTEXT_CHARS < len(text) else "")
    plain = pattern.split(line)
    matches = [*pattern.findall(line), ""]
    return list(chain.from_iterable(zip(plain, matches, strict=True)))[:-1]
