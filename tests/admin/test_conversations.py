"""The list of all conversations: what is found, what is refused, what it asks the database."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils.http import urlencode

from chatapp.models import Conversation, Endpoint, Role, Status
from tests.admin.talks import said, talk, timed
from tests.bench.administering import BAR_QUERIES, queries_of

LIST = "/admin/chatapp/conversation/"


def titles(client: Client, **filters: Any) -> list[str]:
    answer = client.get(LIST, filters)
    assert answer.status_code == 200, answer.content.decode()
    return [conversation.title for conversation in answer.context["cl"].result_list]


def refusal(client: Client, query: str) -> str:
    answer = client.get(f"{LIST}?{query}")
    assert answer.status_code == 400
    found = re.search(r'class="errornote">(.*?)</p>', answer.content.decode(), re.S)
    assert found
    return found.group(1)


def test_the_list_has_everybodys_conversations_the_newest_first(
    auditor: Client, alice: User, bob: User
) -> None:
    talk(alice, "Older")
    talk(bob, "Newer")

    assert titles(auditor) == ["Newer", "Older"]


def test_a_row_tells_what_its_messages_came_to(auditor: Client, alice: User) -> None:
    talk(alice, "Slow", input_tokens=20, endpoint_name="vllm", rating=1, **timed(3.5))

    page = auditor.get(LIST).content.decode()

    assert 'class="field-message_count">2<' in page
    assert 'class="field-token_count">100<' in page
    assert 'class="field-first_token">3.50 s<' in page
    assert "vllm" in page
    assert "👍&nbsp;1" in page


@pytest.mark.parametrize("words", ["hovercraft", "HOVER", "eels full", "“hovercraft” OR -eels"])
def test_words_of_messages_are_found(words: str, auditor: Client, alice: User, bob: User) -> None:
    talk(alice, "This one", prompt="My hovercraft is full of eels, or so")
    talk(bob, "Another")

    assert titles(auditor, q=words) == ["This one"]


def test_words_of_titles_and_of_deleted_conversations_are_found(
    auditor: Client, alice: User
) -> None:
    deleted = talk(alice, "Café plans")
    deleted.deleted_at = datetime.now(UTC)
    deleted.save()

    assert titles(auditor, q="cafe") == ["Café plans"]
    assert titles(auditor, q="answer") == ["Café plans"]


def test_a_search_within_one_persons_conversations(auditor: Client, alice: User, bob: User) -> None:
    talk(alice, "Hers", prompt="eels")
    talk(bob, "His", prompt="eels")

    assert titles(auditor, q="eels", user="bob") == ["His"]
    assert titles(auditor, q="his", user="alice") == []


@pytest.mark.parametrize(
    "words",
    ['"', "'; DROP TABLE x --", "a AND", "NEAR(", "*", "%", "text:", "-", "\\", "a:* & !b |"],
)
def test_operators_and_quotes_are_never_an_error(words: str, auditor: Client, alice: User) -> None:
    talk(alice)

    assert auditor.get(LIST, {"q": words}).status_code == 200


def test_a_search_without_a_word_finds_nothing_and_says_so(auditor: Client, alice: User) -> None:
    talk(alice)

    answer = auditor.get(LIST, {"q": "%%"})

    assert "There is no word in this search." in answer.content.decode()
    assert not answer.context["cl"].result_list


FILTERS = [
    ({"user": "alice"}, {}),
    ({"group": "{group}"}, {}),
    ({"endpoint": "vllm"}, {"endpoint_name": "vllm"}),
    ({"model": "qwen"}, {"model": "qwen"}),
    ({"status": "stopped"}, {"status": Status.STOPPED}),
    ({"status": "live"}, {"status": Status.STREAMING}),
    ({"error": "yes"}, {"error_kind": "timeout", "status": Status.ERROR}),
    ({"feedback": "up"}, {"rating": 1}),
    ({"feedback": "down"}, {"rating": -1}),
    ({"feedback": "reason"}, {"rating": -1, "rating_reason": "wrong"}),
    ({"first_token": "5s"}, timed(6)),
    ({"deleted": "yes"}, {}),
]


@pytest.mark.parametrize(("filters", "reply"), FILTERS, ids=[str(f) for f, _ in FILTERS])
def test_a_filter_shows_what_it_names_and_nothing_else(
    filters: dict[str, str], reply: dict[str, Any], auditor: Client, alice: User, bob: User
) -> None:
    group = Group.objects.create(name="staff")
    alice.groups.add(group)
    wanted = talk(alice, "Wanted", **reply)
    talk(bob, "Other", **timed(0.2))
    if "deleted" in filters:
        Conversation.objects.filter(pk=wanted.pk).update(deleted_at=datetime.now(UTC))

    found = titles(auditor, **{k: v.format(group=group.pk) for k, v in filters.items()})

    assert found == ["Wanted"]


def test_long_and_short_conversations_are_told_apart(auditor: Client, alice: User) -> None:
    talk(alice, "Short")
    long = talk(alice, "Long")
    for _ in range(3):
        said(long, None, Role.USER, text="more")

    assert titles(auditor, length="0-2") == ["Short"]
    assert titles(auditor, length="3-10") == ["Long"]


def test_years_lead_to_months_and_months_to_days(auditor: Client, alice: User) -> None:
    for title, month in (("Spring", 3), ("Autumn", 9)):
        day = datetime(2025, month, 14, 12, tzinfo=UTC)
        conversation = talk(alice, title)
        Conversation.objects.filter(pk=conversation.pk).update(active_at=day)
        conversation.refresh_from_db()
        conversation.save()

    assert set(titles(auditor, when="2025")) == {"Autumn", "Spring"}
    assert titles(auditor, when="2025-03") == ["Spring"]
    assert titles(auditor, when="2025-09-14") == ["Autumn"]
    assert titles(auditor, when="2025-09-15") == []
    assert titles(auditor, **{"from": "2025-03-15", "to": "2025-09-14"}) == ["Autumn"]
    months = [step.title for step in auditor.get(LIST, {"when": "2025"}).context["dates_steps"]]
    assert months == [
        *("September 2025", "August 2025", "July 2025", "June 2025"),
        *("May 2025", "April 2025", "March 2025"),
    ]


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("nonsense=1", "no filter “nonsense”"),
        ("owner__password__startswith=a", "no filter “owner__password__startswith”"),
        ("user=nobody", "Nobody is called “nobody”."),
        ("user=ali", "Did you mean “alice”?"),
        ("group=999", "no choice “999”"),
        ("group=x", "no choice “x”"),
        ("endpoint=none", "no choice “none”"),
        ("model=none", "no choice “none”"),
        ("status=busy", "no choice “busy”"),
        ("feedback=", "no choice “”"),
        ("first_token=1", "no choice “1”"),
        ("length=-1", "no choice “-1”"),
        ("when=2025-13", "is no date"),
        ("when=0001", "is no date"),
        ("when=٢٠٢٥", "is no date"),
        ("from=yesterday", "is no date"),
        ("to=2025-02-30", "is no date"),
        ("p=7", "no page 7"),
        ("p=0", "no page 0"),
        ("p=x", "The page is a number"),
        ("o=x", "The order is made of the numbers of columns"),
        ("status=error&status=stopped", "more than once"),
        ("q=" + "x" * 201, "200 characters"),
        ("user=a%00", "character of no text"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_sentence(
    query: str, sentence: str, auditor: Client, alice: User
) -> None:
    talk(alice)

    assert sentence in refusal(auditor, query)


def test_a_list_costs_the_same_queries_however_many_it_shows(auditor: Client, alice: User) -> None:
    Endpoint.objects.create(name="vllm", protocol="openai", url="http://127.0.0.1/")
    for n in range(60):
        talk(alice, f"Talk {n}", endpoint_name="vllm")
    while Conversation.objects.filter(summed_up=None).exists():
        auditor.get(LIST)

    for query in ({}, {"p": 2}, {"o": "-4"}, {"q": "answer"}, {"user": "alice", "when": "2026"}):
        status, queries = queries_of(auditor, f"{LIST}?{urlencode(query)}")
        assert status == 200
        assert queries <= BAR_QUERIES, query


def test_only_so_many_are_counted(
    auditor: Client, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatapp.admin.history.paging.MOST", 3)
    for _ in range(4):
        talk(alice)

    assert "more than 3 conversations" in auditor.get(LIST).content.decode()


@pytest.mark.parametrize("who", ["anonymous", "person", "staff"])
def test_whoever_may_not_view_conversations_sees_none(who: str, alice: User) -> None:
    conversation = talk(alice, "Private")
    client = Client()
    if who != "anonymous":
        client.force_login(User.objects.create_user(who, is_staff=who == "staff"))

    for address in (LIST, f"{LIST}{conversation.pk}/change/", f"{LIST}{conversation.pk}/history/"):
        answer = client.get(address)
        assert answer.status_code in (302, 403)
        assert "Private" not in answer.content.decode()
