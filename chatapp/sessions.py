"""A session key → the user whose session it is, checked anew each time it is asked.

This is the SESSION_ENGINE too: Django's rows, for keys that every database can look for.
"""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth import (
    BACKEND_SESSION_KEY,
    HASH_SESSION_KEY,
    SESSION_KEY,
    get_user_model,
)
from django.contrib.auth.models import User
from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.db import connection
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from chatapp.models import Conversation


class SessionStore(db.SessionStore):
    def _validate_session_key(self, key: str | None) -> bool:
        return key is not None and len(key) >= 8 and key.isascii() and key.isalnum()


def user_of(session_key: str | None) -> User | None:
    """The signed-in, active user of a session that exists, has not expired and fits the password.

    Unlike Channels' own function it reads only: it honours SECRET_KEY_FALLBACKS and never flushes
    a session, so rotating the key signs nobody out.
    """
    if not session_key:
        return None
    session = SessionStore(session_key).load()
    if session.get(BACKEND_SESSION_KEY) not in settings.AUTHENTICATION_BACKENDS:
        return None
    user = get_user_model().objects.filter(pk=session[SESSION_KEY], is_active=True).first()
    return user if user is not None and _fits(user, session.get(HASH_SESSION_KEY, "")) else None


def trace_of(session_key: str | None, conversation_id: UUID) -> tuple[Any, ...] | None:
    """Something that stays equal while nothing changes that `user_of` or the page depend on.

    One plain query and nothing to decode: every idle socket asks each half minute. None if the
    session, its time, the account or the conversation is over.
    """
    conversation_id = Conversation._meta.pk.get_db_prep_value(conversation_id, connection)
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    with connection.cursor() as cursor:
        cursor.execute(_TRACE, [session_key, conversation_id, now])
        found: tuple[Any, ...] | None = cursor.fetchone()
    return found


_TRACE = f"""
    SELECT s.session_data, u.password, c.updated_at
    FROM {Conversation._meta.db_table} c
    JOIN {User._meta.db_table} u ON u.id = c.owner_id
    JOIN {Session._meta.db_table} s ON s.session_key = %s
    WHERE c.id = %s AND c.deleted_at IS NULL AND u.is_active AND s.expire_date > %s
"""


def _fits(user: User, session_hash: str) -> bool:
    hashes = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    return any(constant_time_compare(session_hash, valid) for valid in hashes)
