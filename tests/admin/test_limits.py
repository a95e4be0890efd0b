"""Limits in the admin: set by those who may, with what has been used, and written down."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client

from chatapp.models import AuditEvent, Limit
from tests.limits.conftest import used

LIMITS = "/admin/chatapp/limit/"


def form(**values: object) -> dict[str, object]:
    empty = ("user", "group", "prompts_a_minute", "parallel_replies", "tokens_a_day")
    return {**dict.fromkeys((*empty, "tokens_a_month"), ""), **values}


@pytest.fixture
def operator(db: None) -> Client:
    """Somebody with the rights to limits and no others."""
    user = User.objects.create_user("olga", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__endswith="_limit"))
    client = Client()
    client.force_login(user)
    return client


def test_a_person_is_limited_by_name(operator: Client, alice: User) -> None:
    answer = operator.post(f"{LIMITS}add/", form(user="alice", tokens_a_day=500))

    limit = Limit.objects.get()
    assert answer.status_code == 302
    assert (limit.user, limit.tokens_a_day, limit.tokens_a_month) == (alice, 500, None)
    page = operator.get(f"{LIMITS}{limit.pk}/change/").content.decode()
    assert 'value="alice"' in page


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"user": "nobody"}, "Nobody has this name."),
        ({}, "Choose a person or a group, one of the two."),
        ({"user": "alice", "group": 1}, "Choose a person or a group, one of the two."),
        ({"user": "alice", "tokens_a_day": -1}, "greater than or equal to 0"),
        ({"user": "alice", "tokens_a_day": "many"}, "Enter a whole number"),
    ],
)
def test_what_makes_no_sense_is_said_in_the_form(
    values: dict[str, object], sentence: str, operator: Client, alice: User
) -> None:
    Group.objects.create(pk=1, name="team")

    answer = operator.post(f"{LIMITS}add/", form(**values))

    assert sentence in answer.content.decode()
    assert not Limit.objects.exists()


def test_every_change_is_written_down(operator: Client, alice: User) -> None:
    operator.post(f"{LIMITS}add/", form(user="alice", tokens_a_day=500))
    limit = Limit.objects.get()
    operator.post(f"{LIMITS}{limit.pk}/change/", form(user="alice", tokens_a_day=800))
    delete = {"action": "delete_selected", "_selected_action": limit.pk, "post": "yes"}
    operator.post(LIMITS, delete)

    assert not Limit.objects.exists()
    events = AuditEvent.objects.order_by("pk")
    assert [(e.actor_name, e.action, e.object_name) for e in events] == [
        ("olga", "add", "alice"),
        ("olga", "change", "alice"),
        ("olga", "delete", "alice"),
    ]
    assert events[1].detail == {"tokens_a_day": [500, 800]}


def test_the_list_shows_what_has_been_used(operator: Client, alice: User, bob: User) -> None:
    team = Group.objects.create(name="team")
    team.user_set.add(alice, bob)
    Limit.objects.create(user=alice, tokens_a_day=9000)
    Limit.objects.create(group=team, tokens_a_month=90_000)
    used(alice, day_tokens=1_234, month_tokens=20_001)
    used(bob, day_tokens=1, month_tokens=2)

    page = operator.get(LIMITS).content.decode()
    people = operator.get("/admin/chatapp/usage/").content.decode()

    assert "everyone in team" in page
    assert all(number in page for number in ("1,234", "20,001", "1,235", "20,003"))
    assert all(words in people for words in ("alice", "1,234", "20,001", "bob"))


def test_the_stop_of_the_whole_service_is_shown_with_what_is_used(
    operator: Client, alice: User, settings: Any
) -> None:
    used(alice, month_tokens=950)
    assert "not limited" in operator.get(LIMITS).content.decode()

    settings.LIMIT_SERVICE_TOKENS_A_MONTH = 1000
    page = operator.get(LIMITS).content.decode()

    assert "Everybody together has used 950 of this month’s 1,000 tokens; 50 are left." in page


def test_nobody_without_the_right_sees_or_sets_limits(alice: User, db: None) -> None:
    alice.is_staff = True
    alice.save()
    client = Client()
    client.force_login(alice)

    for path in (LIMITS, f"{LIMITS}add/", "/admin/chatapp/usage/"):
        assert client.get(path).status_code == 403
    assert client.post(f"{LIMITS}add/", form(user="alice")).status_code == 403


def test_what_was_used_is_not_altered(operator: Client, alice: User) -> None:
    used(alice, day_tokens=5)

    for path in ("add/", f"{alice.pk}/delete/"):
        assert operator.post(f"/admin/chatapp/usage/{path}").status_code == 403
    assert operator.post(f"/admin/chatapp/usage/{alice.pk}/change/", {}).status_code == 403


def test_what_a_person_used_is_listed_when_they_are_gone(operator: Client, alice: User) -> None:
    used(alice, day_tokens=1_234)
    number = alice.pk
    alice.delete()

    page = operator.get("/admin/chatapp/usage/").content.decode()

    assert f"deleted user {number}" in page
    assert "1,234" in page


@pytest.mark.parametrize("path", [LIMITS, "/admin/chatapp/usage/"])
def test_the_lists_take_few_queries(
    path: str, operator: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(30):
        user = User.objects.create_user(f"person-{number}")
        used(user, day_tokens=number)
        Limit.objects.create(user=user)

    with django_assert_max_num_queries(12):
        operator.get(path)
