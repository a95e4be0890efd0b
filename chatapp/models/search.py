"""What a search looks through: the text of every settled message, indexed by the database.

SQLite has an FTS5 table beside it, PostgreSQL an index over it (migration `search`).
"""

from collections.abc import Mapping
from uuid import UUID

from django.db import connection, models

from chatapp.models.message import Message

# PostgreSQL takes no more than a megabyte of words for one row; nobody searches so far behind.
MOST_CHARS = 100_000


class SearchEntry(models.Model):
    """One message's text; made anew whenever the message settles."""

    message = models.OneToOneField(Message, on_delete=models.CASCADE, related_name="search_entry")
    text = models.TextField()

    def __str__(self) -> str:
        return self.text[:40]


def index(texts: Mapping[UUID, str]) -> None:
    """Lets messages, by their ids, be found by their texts; one statement for all."""
    SearchEntry.objects.bulk_create(
        [SearchEntry(message_id=i, text=text[:MOST_CHARS]) for i, text in texts.items() if text],
        update_conflicts=True,
        unique_fields=["message"],
        update_fields=["text"],
    )


def matching(words: list[str]) -> models.QuerySet[SearchEntry]:
    """The entries that have every word, the last one as a beginning too."""
    if connection.vendor == "sqlite":
        query = " ".join(f'"{_quoted(word)}"' for word in words) + "*"
        found = "chatapp_searchentry.id IN (SELECT rowid FROM chatapp_search WHERE text MATCH %s)"
        return SearchEntry.objects.extra(where=[found], params=[query])
    query = " & ".join(f"'{_escaped(word)}'" for word in words) + ":*"
    found = "to_tsvector('simple', chatapp_searchentry.text) @@ to_tsquery('simple', %s)"
    return SearchEntry.objects.extra(where=[found], params=[query])


def _quoted(word: str) -> str:
    return word.replace('"', '""')


def _escaped(word: str) -> str:
    return word.replace("\\", " ").replace("'", "''")
