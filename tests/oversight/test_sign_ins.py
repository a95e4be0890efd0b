"""Guessing passwords: of one person, of many, and from an address that changes."""

from typing import Any

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.models import User
from django.test import Client

HOME, ELSEWHERE = "203.0.113.7", "203.0.113.8"
PASSWORD = "correct horse"


@pytest.fixture(autouse=True)
def _locks(settings: Any) -> None:
    settings.AXES_ENABLED = True


def sign_in(name: str, password: str, address: str) -> int:
    """The status: 302 in, 200 once more, 429 locked."""
    form = {"username": name, "password": password}
    return Client().post("/login/", form, REMOTE_ADDR=address).status_code


def test_five_failures_lock_a_name_at_its_address_alone(alice: User, bob: User) -> None:
    for _ in range(5):
        sign_in("alice", "wrong", HOME)

    assert sign_in("alice", PASSWORD, HOME) == 429
    assert sign_in("bob", "battery staple", HOME) == 302
    assert sign_in("alice", PASSWORD, ELSEWHERE) == 302


def test_who_tries_many_names_is_locked_with_all_of_them(alice: User) -> None:
    tried = [sign_in(f"name {number}", "wrong", HOME) for number in range(50)]

    assert tried == [200] * 49 + [429]
    assert sign_in("alice", PASSWORD, HOME) == 429
    assert sign_in("alice", PASSWORD, ELSEWHERE) == 302


def test_a_subscriber_of_ipv6_is_one_place(alice: User) -> None:
    for number in range(5):
        sign_in("alice", "wrong", f"2001:db8:0:1::{number}")

    assert sign_in("alice", PASSWORD, "2001:db8:0:1:2:3:4:5") == 429
    assert sign_in("alice", PASSWORD, "2001:db8:0:2::1") == 302


def test_one_name_alone_never_locks_its_place(alice: User) -> None:
    for _ in range(60):
        sign_in("a script", "old", HOME)

    assert sign_in("alice", PASSWORD, HOME) == 302


def test_what_is_tried_at_a_locked_place_counts_for_nothing(alice: User) -> None:
    for number in range(50):
        sign_in(f"name {number}", "wrong", HOME)
    for _ in range(6):
        assert sign_in("alice", PASSWORD, HOME) == 429

    assert not AccessAttempt.objects.filter(username="alice").exists()


def test_who_signs_in_starts_anew(alice: User) -> None:
    for _ in range(4):
        sign_in("alice", "wrong", HOME)
    assert sign_in("alice", PASSWORD, HOME) == 302

    assert not AccessAttempt.objects.exists()
