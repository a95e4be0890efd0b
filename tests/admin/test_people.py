"""People are deleted as they leave by themselves: nothing is read or removed on the way."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from chatapp.models import AuditEvent, Conversation, Departure, Endpoint, Hold, Message, Role

PEOPLE = "/admin/auth/user/"


def talk(owner: User, text: str, turns: int = 1) -> Conversation:
    conversation = Conversation.objects.create(owner=owner, title=text)
    last = None
    for _ in range(turns):
        last = Message.objects.create(
            conversation=conversation, parent=last, role=Role.USER, text=text
        )
    return conversation


def test_whoever_is_deleted_has_left_and_nothing_of_theirs_is_gone(
    admin: Client, alice: User
) -> None:
    conversation = talk(alice, "a secret plan", turns=2)

    asked = admin.get(f"{PEOPLE}{alice.pk}/delete/").content.decode()
    admin.post(f"{PEOPLE}{alice.pk}/delete/", {"post": "yes"})

    assert "alice" in asked and "messages: 2" in asked.lower()
    assert "secret" not in asked
    alice.refresh_from_db()
    conversation.refresh_from_db()
    assert not alice.is_active
    assert conversation.deleted_at == alice.departure.at
    assert conversation.messages.count() == 2
    event = AuditEvent.objects.get()
    assert (event.action, event.kind, event.object_name) == ("delete", "user", "alice")


def test_a_conversation_of_any_length_is_no_obstacle(admin: Client, alice: User) -> None:
    talk(alice, "more", turns=1_100)

    assert admin.get(f"{PEOPLE}{alice.pk}/delete/").status_code == 200
    chosen = {"action": "delete_selected", "_selected_action": alice.pk, "post": "yes"}
    assert admin.post(PEOPLE, chosen).status_code == 302
    assert Departure.objects.get().person == alice


def test_the_switch_that_hides_conversations_hides_no_button(
    admin: Client, alice: User, settings: object
) -> None:
    settings.ADMIN_READS_CONVERSATIONS = False  # type: ignore[attr-defined]
    talk(alice, "hello")

    admin.post(f"{PEOPLE}{alice.pk}/delete/", {"post": "yes"})

    assert Departure.objects.get().person == alice


def test_a_second_time_does_not_begin_the_grace_anew(admin: Client, alice: User) -> None:
    admin.post(f"{PEOPLE}{alice.pk}/delete/", {"post": "yes"})
    Departure.objects.update(at=Departure.objects.get().at - timedelta(days=20))
    before = Departure.objects.get().at

    admin.post(f"{PEOPLE}{alice.pk}/delete/", {"post": "yes"})

    assert Departure.objects.get().at == before
    assert before.strftime("%Y") in admin.get(PEOPLE).content.decode()


def test_whoever_is_made_active_again_has_not_left(admin: Client, alice: User) -> None:
    admin.post(f"{PEOPLE}{alice.pk}/delete/", {"post": "yes"})
    form = {"username": "alice", "is_active": "on", "date_joined_0": "2026-01-01"}

    answer = admin.post(f"{PEOPLE}{alice.pk}/change/", {**form, "date_joined_1": "00:00:00"})

    assert answer.status_code == 302, answer.content.decode()
    assert User.objects.get(pk=alice.pk).is_active and not Departure.objects.exists()


@pytest.mark.parametrize("one_by_one", [True, False])
def test_the_last_administrators_stay(one_by_one: bool, admin: Client) -> None:
    root = User.objects.get()
    other = User.objects.create_superuser("other")
    if one_by_one:
        admin.post(f"{PEOPLE}{other.pk}/delete/", {"post": "yes"})
        refused = admin.post(f"{PEOPLE}{root.pk}/delete/", {"post": "yes"})
    else:
        both = {"action": "delete_selected", "_selected_action": [root.pk, other.pk]}
        refused = admin.post(PEOPLE, {**both, "post": "yes"})

    assert "the last administrator of this service" in refused.content.decode()
    assert User.objects.get(pk=root.pk).is_active


def test_holds_tell_nothing_of_what_is_held(admin: Client, alice: User) -> None:
    conversation = talk(alice, "a secret plan")
    form = {"conversation": str(conversation.pk), "person": "", "reason": "a matter"}

    assert admin.post("/admin/chatapp/hold/add/", form).status_code == 302
    again = admin.post("/admin/chatapp/hold/add/", {**form, "reason": ""})

    hold = Hold.objects.get()
    pages = [again, admin.get("/admin/chatapp/hold/")]
    pages += [admin.get(f"/admin/chatapp/hold/{hold.pk}/{what}/") for what in ("change", "delete")]
    for page in pages:
        text = page.content.decode()
        assert page.status_code == 200
        assert str(conversation.pk) in text
        assert "secret" not in text
    assert "alice" in pages[1].content.decode()


def test_the_history_of_a_hold_is_that_of_what_it_holds(admin: Client, alice: User) -> None:
    form = {"conversation": "", "person": str(alice.pk), "reason": "a matter"}
    admin.post("/admin/chatapp/hold/add/", form)
    hold = Hold.objects.get()

    answer = admin.get(f"/admin/chatapp/hold/{hold.pk}/history/", follow=True)

    assert "put on hold" in answer.content.decode()


def test_an_endpoint_that_goes_with_its_last_group_is_written_down(admin: Client) -> None:
    last, other = (Group.objects.create(name=name) for name in ("Last", "Other"))
    fields = {"url": "https://api.example.com/v1", "protocol": "openai"}
    theirs = Endpoint.objects.create(name="theirs", **fields)
    theirs.groups.add(last)
    shared = Endpoint.objects.create(name="shared", **fields)
    shared.groups.add(last, other)

    admin.post(f"/admin/auth/group/{last.pk}/delete/", {"post": "yes"})

    event = AuditEvent.objects.get(kind="endpoint")
    assert (event.action, event.object_name, event.detail) == (
        "change",
        "theirs",
        {"fields": ["enabled"]},
    )


@pytest.mark.parametrize("named", ["nonsense", "6f5d5b0e-5f7a-4f0e-9d53-0a8f3a1d4c11"])
def test_a_hold_on_nothing_is_refused_in_the_form(named: str, admin: Client) -> None:
    form = {"conversation": named, "person": "", "reason": "a matter"}

    answer = admin.post("/admin/chatapp/hold/add/", form)

    assert answer.status_code == 200
    assert "errorlist" in answer.content.decode()
    assert not Hold.objects.exists()


@pytest.mark.parametrize("path", ["/admin/chatapp/conversation/", PEOPLE])
@pytest.mark.parametrize("nonsense", ["nonsense", "9" * 20])
def test_a_selection_of_nonsense_is_refused_with_a_sentence(
    path: str, nonsense: str, admin: Client
) -> None:
    chosen = {"action": "delete_selected", "_selected_action": nonsense, "post": "yes"}

    answer = admin.post(path, chosen, follow=True)

    assert answer.status_code == 200
    assert "What was selected is none of these." in answer.content.decode()
