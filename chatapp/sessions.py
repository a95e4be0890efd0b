"""A session key → the user whose session it is, checked anew each time it is asked.

This is the SESSION_ENGINE too: Django's rows, for keys that every database can look for. Pages of
this process hear at once when a session or an account is over, those of others at their next check.
"""

from collections.abc import Collection
from functools import lru_cache, partial
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth import (
    BACKEND_SESSION_KEY,
    HASH_SESSION_KEY,
    SESSION_KEY,
)
from django.contrib.auth.models import User
from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.db.models.signals import post_save
from django.dispatch import receiver
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from chatapp import places
from chatapp.models import Conversation


class SessionStore(db.SessionStore):
    def _validate_session_key(self, key: str | None) -> bool:
        return _can_be_key(key)

    def flush(self) -> None:
        person_id = self.get(SESSION_KEY)
        super().flush()
        if person_id is not None:
            places.look_again(int(person_id))


@receiver(post_save, sender=User)
def _tell_pages(instance: User, update_fields: Collection[str] | None, **kwargs: Any) -> None:
    if update_fields is None or {"password", "is_active"} & {*update_fields}:
        transaction.on_commit(partial(places.look_again, instance.pk))


def _can_be_key(key: str | None) -> bool:
    return key is not None and len(key) >= 8 and key.isascii() and key.isalnum()


def user_of(session_key: str | None) -> User | None:
    """The signed-in, active user of a session that exists, has not expired and fits the password.

    Unlike Channels' own function it reads only: it honours SECRET_KEY_FALLBACKS and never flushes
    a session, so rotating the key signs nobody out.
    """
    if not _can_be_key(session_key):
        return None
    with connection.cursor() as cursor:
        cursor.execute(_SESSION, [session_key, _now()])
        found = cursor.fetchone()
    session = _decoded(found[0]) if found else {}
    if session.get(BACKEND_SESSION_KEY) not in settings.AUTHENTICATION_BACKENDS:
        return None
    for user in User.objects.raw(_USER, [session[SESSION_KEY]]):
        return user if _fits(user, session.get(HASH_SESSION_KEY, "")) else None
    return None


def trace_of(session_key: str | None, conversation_id: UUID) -> tuple[Any, ...] | None:
    """Something that stays equal while nothing changes that `user_of` or the page depend on.

    One plain query and nothing to decode: every idle socket asks each half minute. None if the
    session, its time, the account or the conversation is over.
    """
    conversation_id = Conversation._meta.pk.get_db_prep_value(conversation_id, connection)
    with connection.cursor() as cursor:
        cursor.execute(_TRACE, [session_key, conversation_id, _now()])
        found: tuple[Any, ...] | None = cursor.fetchone()
    return found


# Written out: every question begins with them, and composing a query takes the ORM ten times as
# long as it takes the database to answer it.
_SESSION = f"""
    SELECT session_data FROM {Session._meta.db_table} WHERE session_key = %s AND expire_date > %s
"""
_USER = f"SELECT * FROM {User._meta.db_table} WHERE id = %s AND is_active"
_TRACE = f"""
    SELECT s.session_data, u.password, c.updated_at
    FROM {Conversation._meta.db_table} c
    JOIN {User._meta.db_table} u ON u.id = c.owner_id
    JOIN {Session._meta.db_table} s ON s.session_key = %s
    WHERE c.id = %s AND c.deleted_at IS NULL AND u.is_active AND s.expire_date > %s
"""


@lru_cache(maxsize=1024)
def _decoded(session_data: str) -> dict[str, Any]:
    """What the signed data says; {} if the signature is not ours."""
    decoded: dict[str, Any] = SessionStore().decode(session_data)
    return decoded


def _now() -> Any:
    return connection.ops.adapt_datetimefield_value(timezone.now())


def _fits(user: User, session_hash: str) -> bool:
    hashes = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    return any(constant_time_compare(session_hash, valid) for valid in hashes)
