"""The list of audit events in the admin: read, filtered, searched, and never altered."""

import re
from datetime import datetime
from html import unescape

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.test import Client

from chatapp.admin.audit import Audited
from chatapp.models import AuditEvent, Conversation, Endpoint
from chatapp.models.audit import Action
from tests.admin.test_endpoints import form as endpoint_form
from tests.rights import staff

LIST = "/admin/chatapp/auditevent/"


@pytest.fixture
def root(transactional_db: None) -> Client:
    return signed_in(User.objects.create_superuser("root", password="x"))


@pytest.fixture
def auditor(transactional_db: None) -> Client:
    return signed_in(staff("anna", "Auditor"))


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def deed(actor: User, action: Action, **fields: object) -> AuditEvent:
    return AuditEvent.objects.create(
        actor=actor, actor_name=actor.get_username(), action=action, **fields
    )


def test_every_page_of_the_admin_writes_its_changes_down() -> None:
    plain = [
        model.__name__ for model, a in admin.site._registry.items() if not isinstance(a, Audited)
    ]

    assert plain == []


def test_changes_of_endpoints_and_people_are_events_with_names_and_fields(root: Client) -> None:
    root.post("/admin/chatapp/endpoint/add/", endpoint_form())
    endpoint = Endpoint.objects.get()
    address = f"/admin/chatapp/endpoint/{endpoint.pk}/"
    root.post(f"{address}change/", endpoint_form(name="other", position=7))
    root.post(f"{address}delete/", {"post": "yes"})
    root.post("/admin/auth/group/add/", {"name": "Readers"})

    events = AuditEvent.objects.order_by("id")
    assert [(e.actor_name, e.action, e.kind, e.object_name) for e in events] == [
        ("root", "add", "endpoint", "vllm"),
        ("root", "change", "endpoint", "other"),
        ("root", "delete", "endpoint", "other"),
        ("root", "add", "group", "Readers"),
    ]
    assert {"Name", "Order"} <= set(events[1].detail["fields"])
    assert {e.address for e in events} == {"127.0.0.1"}
    assert not LogEntry.objects.exists(), "one log is enough"


def test_a_new_password_is_an_event_without_the_password(root: Client, alice: User) -> None:
    words = {"password1": "four words of nonsense", "password2": "four words of nonsense"}

    answer = root.post(
        f"/admin/auth/user/{alice.pk}/password/", words | {"usable_password": "true"}
    )

    assert answer.status_code == 302
    event = AuditEvent.objects.get()
    assert (event.action, event.object_name) == ("change", "alice")
    assert "nonsense" not in str(event.detail)


def test_an_event_is_listed_with_a_link_to_its_thing(
    auditor: Client, alice: User, conversation: Conversation
) -> None:
    deed(alice, Action.READ, kind="conversation", object_id=conversation.pk, object_name="bob")
    deed(alice, Action.CHANGE, kind="endpoint", object_id="7", object_name="vllm", address="::1")

    page = auditor.get(LIST).content.decode()

    link = (
        f'<a href="/admin/chatapp/conversation/{conversation.pk}/change/">conversation of bob</a>'
    )
    assert link in page
    assert "endpoint vllm" in page and "/admin/chatapp/endpoint/" not in page, "not the auditor's"
    assert "::1" in page


def test_events_are_filtered_and_searched(auditor: Client, alice: User, bob: User) -> None:
    deed(alice, Action.READ, kind="conversation", object_name="one")
    deed(bob, Action.EXPORT, kind="conversation", object_name="two")
    deed(bob, Action.CHANGE, kind="endpoint", object_name="three", object_id="3")
    names = {"one", "two", "three"}

    def found(query: str) -> set[str]:
        results = auditor.get(f"{LIST}?{query}").context["cl"].result_list
        return {event.object_name for event in results}

    assert found("") == names
    assert found(f"actor__id__exact={bob.pk}") == {"two", "three"}
    assert found("action__exact=read") == {"one"}
    assert found("kind=endpoint") == found("kind=endpoint&object_id=3") == {"three"}
    assert found("q=alice") == {"one"}
    assert found("q='%22%25--+two") == set()
    assert found("at__year=1999") == set()


def test_years_months_and_days_between_the_first_event_and_the_last_are_offered(
    auditor: Client, alice: User
) -> None:
    for at in ("2024-11-20", "2026-02-03"):
        deed(alice, Action.READ, at=datetime.fromisoformat(f"{at}T12:00Z"))

    years = dates_offered(auditor, "")
    months = dates_offered(auditor, "?at__year=2026")
    days = dates_offered(auditor, "?at__year=2026&at__month=2")

    assert years == ["2024", "2025", "2026"]
    assert months == ["All dates", "February 2026"]
    assert days == ["2026", "3 February"]
    assert dates_offered(auditor, "?q=nobody") == []


def dates_offered(client: Client, address: str) -> list[str]:
    page = client.get(f"{LIST}{address}").content.decode()
    links = page.partition('<nav class="toplinks">')[2].partition("</nav>")[0]
    return [text.strip(" \n‹") for text in re.findall(r">([^<>]*\w[^<>]*)<", unescape(links))]


@pytest.mark.parametrize(
    "query",
    ["nonsense=1&at__gte=never", "at__year=99999999999999999999", "kind=%00"],
)
def test_filters_that_cannot_be_read_lead_back_to_the_list(query: str, auditor: Client) -> None:
    answer = auditor.get(f"{LIST}?{query}", follow=True)

    assert answer.status_code == 200
    if query != "kind=%00" or answer.redirect_chain:  # which SQLite takes for a text
        assert answer.redirect_chain == [(f"{LIST}?e=1", 302)]
        assert "everything is shown" in answer.content.decode()


def test_only_those_who_may_see_it_are_led_to_a_history(root: Client, alice: User) -> None:
    event = deed(alice, Action.READ)
    endpoint = Endpoint.objects.create(name="one", protocol="openai", url="https://a.example/v1")
    own = f"/admin/chatapp/endpoint/{endpoint.pk}/change/"
    operator = signed_in(staff("olga", rights=("view_endpoint", "change_endpoint")))

    assert "historylink" in root.get(own).content.decode()
    assert "historylink" not in operator.get(own).content.decode()
    assert "historylink" not in root.get(f"{LIST}{event.pk}/change/").content.decode()


def test_nobody_can_alter_an_event_whatever_the_address(root: Client, alice: User) -> None:
    event = deed(alice, Action.READ, detail={"part": ["first", "last"]})
    own = f"{LIST}{event.pk}/"

    shown = root.get(f"{own}change/")
    answers = [
        root.get(f"{LIST}add/"),
        root.post(f"{LIST}add/", {"actor_name": "x"}),
        root.post(f"{own}change/", {"actor_name": "x"}),
        root.get(f"{own}delete/"),
        root.post(f"{own}delete/", {"post": "yes"}),
    ]
    root.post(LIST, {"action": "delete_selected", "_selected_action": event.pk, "post": "yes"})

    assert "first, last" in shown.content.decode()
    assert '<input type="submit"' not in shown.content.decode()
    assert [answer.status_code for answer in answers] == [403] * 5
    assert AuditEvent.objects.get().actor_name == "alice"


def test_the_history_of_a_thing_are_its_events(root: Client, alice: User) -> None:
    answer = root.get(f"/admin/auth/user/{alice.pk}/history/")

    assert answer.status_code == 302
    assert answer.headers["location"] == f"{LIST}?kind=user&object_id={alice.pk}"


def test_the_first_page_says_how_many_have_every_right_and_what_one_did(
    root: Client, auditor: Client
) -> None:
    User.objects.create_superuser("second", password="x")
    root.post("/admin/auth/group/add/", {"name": "Readers"})

    page = root.get("/admin/").content.decode()

    assert "2 people have every right" in page
    assert "Added group Readers" in page
    assert "2 people have every right" in auditor.get("/admin/").content.decode()
    assert Group.objects.filter(name="Readers").exists()


def test_times_are_written_as_on_the_pages_of_our_own(root: Client) -> None:
    event = deed(User.objects.get(), Action.READ)

    page = root.get(LIST).content.decode()

    assert event.at.strftime("%-d %b %Y, %H:%M") in page


def test_the_list_has_the_whole_width(root: Client) -> None:
    assert 'id="nav-sidebar"' not in root.get(LIST).content.decode()
