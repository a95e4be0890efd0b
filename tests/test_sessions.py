"""Whose session is it?"""

import datetime
import uuid

from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.utils import timezone

from chatapp.models import Conversation
from chatapp.sessions import trace_of, user_of
from tests.tab import sign_in


def test_a_session_names_its_user(alice: User) -> None:
    assert user_of(sign_in(alice)) == alice


def test_no_unknown_or_expired_session_names_anybody(alice: User) -> None:
    key = sign_in(alice)
    Session.objects.update(expire_date=timezone.now() - datetime.timedelta(seconds=1))

    assert user_of(key) is None
    assert user_of("unknown") is None
    assert user_of("session with\0nothing") is None
    assert user_of(None) is None


def test_rotating_the_key_signs_nobody_out(alice: User, settings: object) -> None:
    key = sign_in(alice)
    old = settings.SECRET_KEY  # type: ignore[attr-defined]

    settings.SECRET_KEY = "another-key-" * 6  # type: ignore[attr-defined]
    settings.SECRET_KEY_FALLBACKS = [old]  # type: ignore[attr-defined]

    assert user_of(key) == alice
    settings.SECRET_KEY_FALLBACKS = []  # type: ignore[attr-defined]
    assert user_of(key) is None


def test_a_trace_changes_with_whatever_a_page_depends_on(alice: User, bob: User) -> None:
    key = sign_in(alice)
    mine = Conversation.objects.create(owner=alice)
    before = trace_of(key, mine.pk)

    assert before is not None and before == trace_of(key, mine.pk)
    mine.save()
    assert trace_of(key, mine.pk) != before
    before = trace_of(key, mine.pk)
    alice.set_password("another one")
    alice.save()
    assert trace_of(key, mine.pk) != before
    alice.is_active = False
    alice.save()
    assert trace_of(key, mine.pk) is None
    assert trace_of(None, mine.pk) is None
    assert trace_of(key, uuid.uuid4()) is None


def test_the_trace_of_an_expired_session_is_none(alice: User) -> None:
    key = sign_in(alice)
    mine = Conversation.objects.create(owner=alice)
    Session.objects.update(expire_date=timezone.now() - datetime.timedelta(seconds=1))

    assert trace_of(key, mine.pk) is None
