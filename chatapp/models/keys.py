"""Ids as SQL that is written out takes them."""

from typing import Any
from uuid import UUID

from django.db import connection, models

_UUID: "models.UUIDField[UUID, UUID]" = models.UUIDField()


def db_key(key: UUID) -> Any:
    """The id as this database stores it: SQLite has no type for it."""
    return _UUID.get_db_prep_value(key, connection)


def is_there(sql: str, key: UUID) -> bool:
    """Whether the query, which takes one id, finds anything."""
    with connection.cursor() as cursor:
        cursor.execute(sql, [db_key(key)])
        return cursor.fetchone() is not None
