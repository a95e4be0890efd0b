"""Audit events: what they say, and that nothing alters them."""

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.db import DatabaseError, connection, transaction
from django.http import HttpRequest
from django.test import RequestFactory

from chatapp.models import AuditEvent, Conversation
from chatapp.models.audit import Action
from chatapp.oversight.audit import client_address, record, record_each


def request_of(user: User | AnonymousUser, **headers: str) -> HttpRequest:
    request = RequestFactory().get("/", REMOTE_ADDR="10.0.0.7", **headers)
    request.user = user
    return request


def test_an_event_says_who_did_what_to_which_from_where(
    alice: User, bob: User, conversation: Conversation
) -> None:
    Conversation.objects.update(title="Alice's own words")
    conversation.refresh_from_db()

    record(request_of(bob), Action.READ, conversation, part="last")

    event = AuditEvent.objects.get()
    assert (event.actor, event.actor_name, event.action) == (bob, "bob", "read")
    assert (event.kind, event.object_id) == ("conversation", str(conversation.pk))
    assert event.object_name == "alice", "its title is the person's text, and events stay"
    assert (event.address, event.detail) == ("10.0.0.7", {"part": "last"})


def test_several_of_a_kind_are_one_event_or_one_each(bob: User, conversation: Conversation) -> None:
    record(request_of(bob), Action.EXPORT, Conversation, count=2)
    record_each(request_of(bob), Action.DELETE, [conversation, bob])

    said = AuditEvent.objects.order_by("id").values_list("action", "kind", "object_name")
    assert list(said) == [
        ("export", "conversation", ""),
        ("delete", "conversation", "alice"),
        ("delete", "user", "bob"),
    ]


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE chatapp_auditevent SET actor_name = 'nobody'",
        "DELETE FROM chatapp_auditevent",
        "DELETE FROM chatapp_auditevent WHERE id > 0",
    ],
)
def test_the_database_refuses_to_alter_or_forget(sql: str, bob: User) -> None:
    record(request_of(bob), Action.READ)

    refused = pytest.raises(DatabaseError, match="audit events cannot be")
    with refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)

    assert AuditEvent.objects.get().actor_name == "bob"


def test_django_itself_cannot_alter_or_forget(bob: User) -> None:
    record(request_of(bob), Action.READ)
    event = AuditEvent.objects.get()

    for deed in (event.save, event.delete, AuditEvent.objects.all().delete):
        with pytest.raises(DatabaseError), transaction.atomic():
            deed()

    assert AuditEvent.objects.count() == 1


@pytest.mark.skipif(connection.vendor != "sqlite", reason="other databases know no REPLACE")
def test_replacing_is_refused_too(bob: User) -> None:
    record(request_of(bob), Action.READ)
    columns = "actor_name, action, kind, object_id, object_name, detail, at"
    sql = f"INSERT OR REPLACE INTO chatapp_auditevent (id, {columns}) SELECT id, 'nobody', "
    sql += "action, kind, object_id, object_name, detail, at FROM chatapp_auditevent"

    with pytest.raises(DatabaseError, match="cannot be replaced"), connection.cursor() as cursor:
        cursor.execute(sql)

    assert AuditEvent.objects.get().actor_name == "bob"


def test_who_is_deleted_leaves_their_events(bob: User) -> None:
    record(request_of(bob), Action.READ)

    bob.delete()

    assert AuditEvent.objects.get().actor_name == "bob"


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, "203.0.113.9", "10.0.0.7"),
        (1, "", "10.0.0.7"),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        (2, "198.51.100.1, 203.0.113.9, 192.0.2.1", "203.0.113.9"),
        (2, "203.0.113.9", "10.0.0.7"),
        (1, "203.0.113.9:4711", "203.0.113.9"),
        (1, "[2001:db8::1]:4711", "2001:db8::1"),
        (1, "2001:DB8:0::1", "2001:db8::1"),
        (1, "::ffff:203.0.113.9", "203.0.113.9"),
        (1, "fe80::1%eth0", "fe80::1"),
        (1, "203.0.113.9, <script>", "10.0.0.7"),
        (1, "203.0.113.9,", "10.0.0.7"),
    ],
)
def test_an_address_is_believed_as_far_as_a_proxy_vouches_for_it(
    proxies: int, forwarded: str, address: str, settings: object
) -> None:
    settings.TRUSTED_PROXIES = proxies  # type: ignore[attr-defined]
    headers = {"HTTP_X_FORWARDED_FOR": forwarded} if forwarded else {}

    assert client_address(request_of(AnonymousUser(), **headers)) == address


def test_a_request_without_a_peer_has_no_address() -> None:
    request = request_of(AnonymousUser())
    request.META["REMOTE_ADDR"] = ""

    assert client_address(request) is None


def test_the_lock_on_sign_ins_takes_the_same_address(settings: object) -> None:
    from axes.helpers import get_client_ip_address

    settings.TRUSTED_PROXIES = 1  # type: ignore[attr-defined]
    request = request_of(AnonymousUser(), HTTP_X_FORWARDED_FOR="10.9.9.9, 203.0.113.9")

    assert get_client_ip_address(request) == "203.0.113.9"
