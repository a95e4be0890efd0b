"""Limits that a test sets, and an endpoint whose every reply is reserved the same."""

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import AsyncClient

from chatapp.limits import allowances
from chatapp.models import Endpoint, Usage
from tests.tab import sign_in

LimitTo = Callable[..., None]


@pytest.fixture(autouse=True)
def _no_limits_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows of the test before went without a word."""
    monkeypatch.setattr(allowances, "_looked_at", float("-inf"))


@pytest.fixture
def limit_to(settings: Any) -> LimitTo:
    """`limit_to(PROMPTS_A_MINUTE=3)`: the service's own limits, as the environment sets them."""

    def limit(**limits: int | None) -> None:
        for name, most in limits.items():
            setattr(settings, f"LIMIT_{name}", most)

    return limit


@pytest.fixture
async def small(endpoint: Endpoint) -> Endpoint:
    """Replies of at most 100 tokens."""
    endpoint.options = {**endpoint.options, "max_tokens": 100}
    await endpoint.asave()
    return endpoint


def client_of(user: User) -> AsyncClient:
    """A browser of the user's without scripts; each has a session of its own."""
    from django.conf import settings

    client = AsyncClient()
    client.cookies[settings.SESSION_COOKIE_NAME] = sign_in(user)
    return client


def used(user: User, **values: Any) -> Usage:
    """Makes the counters of a person who has used so much of this day and month."""
    today = datetime.datetime.now(datetime.UTC).date()
    counters = {
        "minute_from": 0,
        "prompts": 0,
        "day": today,
        "day_tokens": 0,
        "month": today.replace(day=1),
        "month_tokens": 0,
        "running": 0,
        "reserved": 0,
    }
    return Usage.objects.update_or_create(person=user, defaults=counters | values)[0]
