"""Words in → a person's conversations that have them, in title or text, each with the place.

Everything here is synchronous.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, islice, pairwise
from uuid import UUID

from django.contrib.auth.models import User
from django.utils.translation import gettext as _

from chatapp.errors import InvalidInput
from chatapp.models import Conversation, Message, Role
from chatapp.models.search import folded, is_unspaced, matching, phrases_in
from chatapp.rendering.markdown import seen

MOST_HITS = 50
MOST_CHARS = 200
_CONTEXT_CHARS = 70
# As much of a reply's Markdown as the context may come from, for a reply can be very long.
_NEAR_CHARS = 2_000


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
    titled = _titled(user, re.findall(r"\w+", folded(query)))
    messages = matching(user.pk, phrases, MOST_HITS)
    found = dict.fromkeys([*titled, *messages])
    shown = list(found)[:MOST_HITS]
    conversations = Conversation.objects.defer("system_prompt", "parameters").in_bulk(shown)
    said = Message.objects.only("text", "role").in_bulk(messages[i] for i in shown if i in messages)
    hits = []
    for i in shown:
        if i not in conversations:
            continue  # removed for good meanwhile
        message = said.get(messages[i]) if i in messages else None
        pieces = _around(message, phrases) if message else []
        hits.append(Hit(conversations[i], pieces, messages.get(i)))
    return hits


def _titled(user: User, words: list[str]) -> list[UUID]:
    """No database compares as we do; a person has few enough titles to look at each."""
    mine = Conversation.objects.filter(owner=user, deleted_at=None)
    titles = ((i, folded(title)) for i, title in mine.values_list("pk", "title").iterator())
    return list(islice((i for i, title in titles if all(w in title for w in words)), MOST_HITS))


def _around(message: Message, phrases: Sequence[list[str]]) -> list[str]:
    """The line around the first match, cut into plain text and matches by turns."""
    patterns = [_pattern(phrase, is_last=phrase is phrases[-1]) for phrase in phrases]
    pattern = re.compile("|".join(patterns))
    longest = max(phrases, key=lambda phrase: sum(map(len, phrase)))
    telling = re.compile(patterns[phrases.index(longest)])  # a short word is everywhere
    text = unicodedata.normalize("NFC", message.text)
    if message.role == Role.ASSISTANT:
        text = _as_read(text, _place(text, telling))
    at = _place(text, telling)
    start = max(0, at - _CONTEXT_CHARS)
    cut = " ".join(text[start : at + 2 * _CONTEXT_CHARS].split())
    line = ("…" if start else "") + cut + ("…" if at + 2 * _CONTEXT_CHARS < len(text) else "")
    spans = [match.span() for match in pattern.finditer(folded(line))]
    edges = [0, *chain.from_iterable(spans), len(line)]
    return [line[a:b] for a, b in pairwise(edges)]


def _pattern(phrase: list[str], *, is_last: bool) -> str:
    """As whole words, of which the last may only have begun; a character of a script without spaces
    is a word wherever it stands."""
    end = "" if is_last or is_unspaced(phrase[-1]) else r"(?![^\W_])"
    begin = "" if is_unspaced(phrase[0]) else r"(?<![^\W_])"
    return begin + re.escape("".join(phrase)) + end


def _place(text: str, pattern: re.Pattern[str]) -> int:
    """Where the first match is, the beginning if there is none."""
    first = pattern.search(folded(text))
    return first.start() if first else 0


def _as_read(markdown: str, at: int) -> str:
    """What a reader sees of the lines around `at`."""
    start = markdown.rfind("\n", 0, max(0, at - _NEAR_CHARS)) + 1
    return seen(markdown[start : at + _NEAR_CHARS])
