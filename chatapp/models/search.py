"""What a search looks through: the words of every settled message, indexed by the database.

SQLite has an FTS5 table beside it, which goes through one person's messages from the newest on;
PostgreSQL a column of words with an index (migrations `search` and `live`). A word that half of
the messages have is found as soon as one that none has.
"""

import re
import unicodedata
from collections.abc import Collection, Mapping
from itertools import islice
from uuid import UUID

from django.conf import settings
from django.db import connection, models, transaction

from chatapp.models.message import Message

# PostgreSQL takes no more than a megabyte of words for one row; nobody searches so far behind.
MOST_CHARS = 100_000

_WORD = re.compile(r"[^\W_]+")
# Scripts that leave no space between words: each character counts as one.
_UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_TOKEN = re.compile(f"[{_UNSPACED}]|[^\\W_{_UNSPACED}]+")
_TOKEN_UNSPACED = re.compile(f"[{_UNSPACED}]")
_KANA_MARKS = "\u3099\u309a"

# Messages with their conversations, the newest first.
Found = list[tuple[UUID, UUID]]


class SearchEntry(models.Model):
    """One message's words, folded; made anew whenever the message settles."""

    message = models.OneToOneField(Message, on_delete=models.CASCADE, related_name="search_entry")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    text = models.TextField()

    def __str__(self) -> str:
        return self.text[:40]


def index(texts: Mapping[UUID, str]) -> None:
    """Lets messages, by their ids, be found by their texts; two statements for all."""
    known = Message.objects.filter(pk__in=[i for i, text in texts.items() if text])
    SearchEntry.objects.bulk_create(
        [
            SearchEntry(message_id=i, owner_id=owner, text=words_of(texts[i][:MOST_CHARS]))
            for i, owner in known.values_list("pk", "conversation__owner")
        ],
        update_conflicts=True,
        unique_fields=["message"],
        update_fields=["text"],
    )


def folded(text: str) -> str:
    """Text as it is compared: in lower case, without accents; as long as `text` if that is NFC."""
    return unicodedata.normalize("NFC", text).translate(_FOLDING)


def words_of(text: str) -> str:
    """The words of a text, folded, with one space between them."""
    return " ".join(_TOKEN.findall(folded(text)))


def phrases_in(query: str) -> list[list[str]]:
    """What a query asks for: for each of its words the tokens that must follow one another."""
    return [_TOKEN.findall(word) for word in _WORD.findall(folded(query))]


def is_unspaced(token: str) -> bool:
    """Whether it is one character of a script that leaves no space between words."""
    return bool(_TOKEN_UNSPACED.fullmatch(token))


def matching(owner_id: int, phrases: Collection[list[str]], most: int) -> dict[UUID, UUID]:
    """Conversation → its newest message that has every phrase, for the `most` newest of a person.

    The last phrase counts as a beginning too. New is what was indexed last.
    """
    newest: dict[UUID, UUID] = {}
    for rows in (most * each for each in _MESSAGES_A_CONVERSATION):
        if connection.vendor == "sqlite":
            found = _select(_SQLITE, words=_fts5_query(owner_id, phrases), rows=rows)
        else:
            found = _select_in_postgresql(owner_id, _tsquery(phrases), most, rows)
        newest = _newest_of_each(found)
        if len(newest) >= most or len(found) < rows:
            break
    return dict(islice(newest.items(), most))


def conversations_with(
    phrases: Collection[list[str]], owner_id: int | None = None
) -> tuple[list[UUID], bool]:
    """The newest conversations, one person's or everybody's and deleted ones too, with a message
    that has every phrase; and whether those are all. At least `_ENOUGH`, if there are so many."""
    if connection.vendor == "sqlite":
        whose = "" if owner_id is None else f'owner_id : "{owner_id}" AND '
        words = f"{whose}text : ({_fts5_words(phrases)})"
        return _first_of_each(_SQLITE_EVERYWHERE, words=words)
    whose = "" if owner_id is None else f"'owner {owner_id}'"
    words = _tsquery(phrases)
    newest = _POSTGRESQL_NEWEST_EVERYWHERE[owner_id is not None]
    found, _ = _first_of_each(newest, words=words, owner=owner_id or 0, window=_WINDOW_EVERYWHERE)
    if len(found) >= _ENOUGH:
        return found, False
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        return _first_of_each(_POSTGRESQL_EVERYWHERE, words=words, mine=whose)


# Looked at for each that is shown, at first and then: a conversation may have the words in many of
# its messages.
_MESSAGES_A_CONVERSATION = (20, 400)

# CROSS JOIN keeps SQLite's planner from going through anything else first.
_SQLITE = """
    SELECT m.id, m.conversation_id
    FROM chatapp_search s
    CROSS JOIN chatapp_searchentry e ON e.id = s.rowid
    CROSS JOIN chatapp_message m ON m.id = e.message_id
    CROSS JOIN chatapp_conversation c ON c.id = m.conversation_id
    WHERE chatapp_search MATCH %(words)s AND c.deleted_at IS NULL
    ORDER BY s.rowid DESC LIMIT %(rows)s
"""
# PostgreSQL cannot go through an index of words from the newest on, and does not know whose words
# are common. So a common word is looked for among the newest messages, without that index; of what
# is not common there, all can be found by the index, whatever the planner thinks, and sorted.
_WINDOW = 3000
_POSTGRESQL_NEWEST = """
    SELECT m.id, m.conversation_id
    FROM (
        SELECT id, message_id, words FROM chatapp_searchentry
        WHERE owner_id = %(owner)s ORDER BY id DESC LIMIT %(window)s
    ) e
    JOIN chatapp_message m ON m.id = e.message_id
    JOIN chatapp_conversation c ON c.id = m.conversation_id
    WHERE e.words @@ to_tsquery('simple', %(words)s) AND c.deleted_at IS NULL
    ORDER BY e.id DESC LIMIT %(rows)s
"""
_POSTGRESQL_ALL = """
    WITH found AS MATERIALIZED (
        SELECT id, message_id FROM chatapp_searchentry
        WHERE words @@ (to_tsquery('simple', %(words)s) && %(mine)s::tsquery)
    ), newest AS MATERIALIZED (
        SELECT id, message_id FROM found ORDER BY id DESC LIMIT 2 * %(rows)s
    )
    SELECT m.id, m.conversation_id
    FROM newest e
    JOIN chatapp_message m ON m.id = e.message_id
    JOIN chatapp_conversation c ON c.id = m.conversation_id
    WHERE c.deleted_at IS NULL
    ORDER BY e.id DESC LIMIT %(rows)s
"""


# For administrators: whole conversations, so fewer of them are enough, and more are looked through.
_ENOUGH, _MOST, _ROWS, _WINDOW_EVERYWHERE = 100, 1000, 20_000, 10_000
_SQLITE_EVERYWHERE = """
    SELECT m.conversation_id
    FROM chatapp_search s
    CROSS JOIN chatapp_searchentry e ON e.id = s.rowid
    CROSS JOIN chatapp_message m ON m.id = e.message_id
    WHERE chatapp_search MATCH %(words)s
    ORDER BY s.rowid DESC LIMIT %(rows)s
"""
_POSTGRESQL_NEWEST_EVERYWHERE = [
    f"""
    SELECT m.conversation_id
    FROM (
        SELECT id, message_id, words FROM chatapp_searchentry
        {whose} ORDER BY id DESC LIMIT %(window)s
    ) e
    JOIN chatapp_message m ON m.id = e.message_id
    WHERE e.words @@ to_tsquery('simple', %(words)s)
    ORDER BY e.id DESC LIMIT %(rows)s
    """
    for whose in ("", "WHERE owner_id = %(owner)s")
]
_POSTGRESQL_EVERYWHERE = """
    WITH newest AS MATERIALIZED (
        SELECT id, message_id FROM chatapp_searchentry
        WHERE words @@ (to_tsquery('simple', %(words)s) && %(mine)s::tsquery)
        ORDER BY id DESC LIMIT %(rows)s
    )
    SELECT m.conversation_id
    FROM newest e
    JOIN chatapp_message m ON m.id = e.message_id
    ORDER BY e.id DESC
"""


def _first_of_each(statement: str, **arguments: str | int) -> tuple[list[UUID], bool]:
    """The conversations that the rows name, each once and up to `_MOST`; whether those are all."""
    found: dict[UUID, None] = {}
    rows = 0
    with connection.cursor() as cursor:
        cursor.execute(statement, {**arguments, "rows": _ROWS})
        for (conversation,) in cursor:
            rows += 1
            found[_uuid(conversation)] = None
            if len(found) == _MOST:
                return list(found), False
    return list(found), rows < _ROWS


def _select_in_postgresql(owner_id: int, words: str, most: int, rows: int) -> Found:
    found = _select(_POSTGRESQL_NEWEST, words=words, owner=owner_id, window=_WINDOW, rows=rows)
    if len(_newest_of_each(found)) >= most:
        return found
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        return _select(_POSTGRESQL_ALL, words=words, mine=f"'owner {owner_id}'", rows=rows)


def _select(statement: str, **arguments: str | int) -> Found:
    with connection.cursor() as cursor:
        cursor.execute(statement, arguments)
        return [(_uuid(message), _uuid(conversation)) for message, conversation in cursor]


def _newest_of_each(found: Found) -> dict[UUID, UUID]:
    newest: dict[UUID, UUID] = {}
    for message, conversation in found:
        newest.setdefault(conversation, message)
    return newest


def _fts5_query(owner_id: int, phrases: Collection[list[str]]) -> str:
    return f'owner_id : "{owner_id}" AND text : ({_fts5_words(phrases)})'


def _fts5_words(phrases: Collection[list[str]]) -> str:
    return " AND ".join(f'"{" ".join(tokens)}"' for tokens in phrases) + " *"


def _tsquery(phrases: Collection[list[str]]) -> str:
    return " & ".join(" <-> ".join(f"'{token}'" for token in tokens) for tokens in phrases) + ":*"


def _uuid(value: UUID | str) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)


class _Folding(dict[int, str]):
    """A character's code → the one that it counts as, found when it is first met."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        parts = unicodedata.normalize("NFKD", char)
        is_accented = all(unicodedata.combining(m) and m not in _KANA_MARKS for m in parts[1:])
        self[code] = (parts if is_accented else char).lower()[0]
        return self[code]


_FOLDING = _Folding()
