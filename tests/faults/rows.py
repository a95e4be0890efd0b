"""A database URL → the replies that are stored, read past the server."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from tests.bench.orders import Order, order_in
from tests.faults.truth import Answer, answer_to

LIVE = ("queued", "streaming")

_REPLIES = """
    SELECT reply.id, reply.status, reply.text, prompt.text
    FROM chatapp_message reply JOIN chatapp_message prompt ON reply.parent_id = prompt.id
    WHERE reply.role = 'assistant' ORDER BY reply.asked_at
"""
_PROMPTS = "SELECT text FROM chatapp_message WHERE role = 'user'"


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply's row, and the order that its prompt holds."""

    id: UUID
    order: Order
    status: str
    text: str

    @property
    def answer(self) -> Answer:
        return answer_to(self.order)


class Rows:
    """The messages of a database."""

    def __init__(self, url: str) -> None:
        self._url = url

    def replies(self) -> list[Reply]:
        """All of them, in the order of asking."""
        found = []
        for reply_id, status, text, prompt in self._select(_REPLIES):
            order = order_in(prompt.encode())
            assert order is not None, prompt
            found.append(Reply(UUID(str(reply_id)), order, status, text))
        return found

    def reply_to(self, order: Order) -> Reply:
        """The last one."""
        return [reply for reply in self.replies() if reply.order == order][-1]

    def prompts(self) -> list[str]:
        return [text for (text,) in self._select(_PROMPTS)]

    def whole(self) -> list[tuple[Any, ...]]:
        """Every column of every message."""
        return self._select("SELECT * FROM chatapp_message ORDER BY id")

    def live(self) -> int:
        return sum(reply.status in LIVE for reply in self.replies())

    def is_sound(self) -> bool:
        """Whether the database finds itself in order."""
        return not self._is_sqlite or self._select("PRAGMA integrity_check") == [("ok",)]

    @property
    def path(self) -> Path:
        """The SQLite file."""
        return Path(self._url.removeprefix("sqlite:///"))

    @property
    def _is_sqlite(self) -> bool:
        return self._url.startswith("sqlite:")

    def _select(self, statement: str) -> list[tuple[Any, ...]]:
        if self._is_sqlite:
            connection = sqlite3.connect(self.path, timeout=30)
            try:
                return connection.execute(statement).fetchall()
            finally:
                connection.close()
        import psycopg

        with psycopg.connect(self._url) as postgres:
            return postgres.execute(statement.encode()).fetchall()
