"""What is over goes, in short steps; what is held stays, whoever deletes it."""

import asyncio
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.db.models import ProtectedError
from django.db.models.signals import post_delete
from django.test import AsyncClient, Client
from django.utils import timezone

from chatapp.library import catalog, curation
from chatapp.models import (
    Attachment,
    AuditEvent,
    Conversation,
    Departure,
    Endpoint,
    Hold,
    Import,
    Message,
    Preset,
    Prompt,
    Queued,
    Role,
    SearchEntry,
    Share,
    Status,
)
from chatapp.models.audit import Action
from chatapp.models.search import index
from chatapp.oversight import retention
from chatapp.oversight.retention import EXPIRED, bounds, expected, held, steps
from tests.tab import Tab

LONG_AGO = timezone.now() - timedelta(days=400)
A_WHILE_AGO = timezone.now() - timedelta(days=31)
YESTERDAY = timezone.now() - timedelta(days=1)


@pytest.fixture(autouse=True)
def _a_year(settings: Any) -> None:
    settings.RETENTION_DAYS = 365


def talk(owner: User, turns: int = 1, **columns: Any) -> Conversation:
    """A conversation with everything that can hang on one."""
    conversation = Conversation.objects.create(owner=owner, title="Tides")
    last: Message | None = None
    for number in range(turns):
        prompt = Message.objects.create(
            conversation=conversation, parent=last, role=Role.USER, text=f"moon {number}"
        )
        last = Message.objects.create(
            conversation=conversation, parent=prompt, role=Role.ASSISTANT, text="pulls"
        )
        index({prompt.pk: prompt.text, last.pk: last.text})
        Attachment.objects.create(owner=owner, message=prompt, name="a", size=1, data=b"x")
        Queued.objects.create(conversation=conversation, key=prompt.pk, text="later", after=prompt)
    Share.objects.create(conversation=conversation)
    Conversation.objects.filter(pk=conversation.pk).update(**columns)
    return conversation


def prune() -> Counter[str]:
    return sum(steps(bounds()), Counter())


def test_what_was_deleted_long_enough_ago_goes_with_all_that_hangs_on_it(alice: User) -> None:
    talk(alice, deleted_at=A_WHILE_AGO)
    recent = talk(alice, deleted_at=YESTERDAY)
    kept = talk(alice)

    gone = prune()

    assert gone == {
        "Conversation": 1,
        "Message": 2,
        "SearchEntry": 2,
        "Attachment": 1,
        "Queued": 1,
        "Share": 1,
    }
    assert set(Conversation.objects.all()) == {recent, kept}
    for model in (Message, SearchEntry, Attachment, Queued, Share):
        assert model.objects.count() in (2, 4)  # those of two conversations are there


def test_what_nothing_happened_in_for_long_is_deleted_as_a_person_would(alice: User) -> None:
    old = talk(alice, updated_at=LONG_AGO)
    fresh = talk(alice, active_at=LONG_AGO)  # imported a moment ago

    assert prune() == {EXPIRED: 1}

    assert list(Conversation.objects.filter(deleted_at=None)) == [fresh]
    assert Message.objects.filter(conversation=old).count() == 2
    assert prune() == {}


def test_a_file_waits_as_long_as_its_message_does(alice: User) -> None:
    queued = Queued.objects.create(
        conversation=Conversation.objects.create(owner=alice), key=uuid4(), text="later"
    )
    for waits_with in (queued, None):
        Attachment.objects.create(owner=alice, queued=waits_with, name="a", size=1, data=b"x")
    Attachment.objects.update(created_at=A_WHILE_AGO)

    assert expected(bounds()) == {"Attachment": 1}
    assert prune() == {"Attachment": 1}
    assert Attachment.objects.get().queued == queued


def test_without_an_age_nothing_expires(alice: User, settings: Any) -> None:
    settings.RETENTION_DAYS = 0
    talk(alice, updated_at=LONG_AGO)

    assert expected(bounds()) == {}
    assert prune() == {}


def test_what_an_age_took_can_be_brought_back_and_stays_then(alice: User) -> None:
    old = talk(alice, updated_at=LONG_AGO)
    prune()

    assert catalog.restore(alice, [old.pk]) == 1
    assert prune() == {}


@pytest.mark.parametrize("names", ["conversation", "person"])
def test_what_is_held_stays(names: str, alice: User) -> None:
    one = talk(alice, deleted_at=A_WHILE_AGO)
    other = talk(alice, updated_at=LONG_AGO)
    for conversation in (one, other) if names == "conversation" else (one,):
        thing = conversation if names == "conversation" else alice
        Hold.objects.create(**{names: thing}, reason="a matter")

    assert expected(bounds()) == {}
    assert prune() == {}
    assert held(bounds()) == {"Conversation": 2}

    Hold.objects.all().delete()
    assert prune()["Conversation"] == 1
    assert not Conversation.objects.filter(pk=one.pk).exists()


def test_a_running_reply_is_left_alone(alice: User) -> None:
    running = talk(alice, deleted_at=A_WHILE_AGO)
    Message.objects.filter(conversation=running, role=Role.ASSISTANT).update(
        status=Status.STREAMING
    )

    assert prune() == {}


def test_what_comes_before_it_goes_in_steps_that_stay_small(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "MESSAGES", 7)
    monkeypatch.setattr(retention, "FILES", 3)
    monkeypatch.setattr(retention, "CONVERSATIONS", 2)
    for _ in range(3):
        talk(alice, turns=10, deleted_at=A_WHILE_AGO)

    took = list(steps(bounds()))

    assert max(step["Message"] for step in took) == 7
    assert max(step["Attachment"] for step in took) == 3
    assert sum(took, Counter())["Message"] == 60
    assert not Conversation.objects.exists()


async def test_replies_go_on_while_much_is_removed(
    endpoint: Endpoint, alice: User, tab_of: Callable[..., Tab]
) -> None:
    def fill_and_prune() -> Counter[str]:
        try:
            for _ in range(5):
                talk(alice, turns=20, deleted_at=A_WHILE_AGO)
            return prune()
        finally:
            connection.close()

    async with tab_of(alice) as tab:
        await tab.say("/tokens 100 /pace 50")
        await tab.until(lambda page: page.status == "streaming")
        gone = await asyncio.to_thread(fill_and_prune)
        await tab.until(lambda page: page.status == "complete")

    assert gone["Message"] == 200
    assert await Message.objects.acount() == 2


def test_two_processes_that_prune_at_once_share_the_work(alice: User) -> None:
    for _ in range(30):
        talk(alice, deleted_at=A_WHILE_AGO)

    def prune_here() -> Counter[str]:
        try:
            return prune()
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.submit(prune_here), pool.submit(prune_here)
        gone = first.result() + second.result()

    assert gone["Conversation"] == 30 and gone["Message"] == 60
    assert not Conversation.objects.exists()


def test_unsent_files_and_reports_of_imports_go_too(alice: User) -> None:
    for created_at in (A_WHILE_AGO, YESTERDAY):
        file = Attachment.objects.create(owner=alice, name="a", size=1, data=b"x")
        Attachment.objects.filter(pk=file.pk).update(created_at=created_at)
        report = Import.objects.create(owner=alice, name="talks.zip", size=1)
        Import.objects.filter(pk=report.pk).update(updated_at=created_at)

    assert expected(bounds()) == {"Attachment": 1, "Import": 1}
    assert prune() == {"Attachment": 1, "Import": 1}
    assert Attachment.objects.count() == Import.objects.count() == 1


def test_a_deleted_account_goes_after_its_conversations(alice: User, bob: User) -> None:
    for person in (alice, bob):
        Departure.objects.create(person=person, at=A_WHILE_AGO)
        talk(person, deleted_at=A_WHILE_AGO)
    User.objects.filter(pk=alice.pk).update(is_active=False)

    assert expected(bounds())["User"] == 1
    assert prune()["User"] == 1

    assert list(User.objects.all()) == [bob]  # made active again, so he stays for good
    assert not Departure.objects.exists()


def test_what_came_after_its_person_had_left_goes_too(alice: User, settings: Any) -> None:
    settings.RETENTION_DAYS = 0
    talk(alice)
    User.objects.filter(pk=alice.pk).update(is_active=False)
    Departure.objects.create(person=alice)

    assert prune() == {EXPIRED: 1}


def test_an_account_stays_while_something_of_it_is_held(alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)
    Departure.objects.create(person=alice, at=A_WHILE_AGO)
    Hold.objects.create(conversation=talk(alice, deleted_at=A_WHILE_AGO), reason="a matter")

    assert prune() == {}
    assert User.objects.filter(pk=alice.pk).exists()


def test_the_system_writes_down_which_but_no_names(alice: User) -> None:
    old = talk(alice, deleted_at=A_WHILE_AGO)
    prune()

    event = AuditEvent.objects.get()
    assert (event.actor_name, event.actor_id, event.action) == ("system", None, Action.DELETE)
    assert (event.kind, event.object_id, event.object_name) == ("conversation", str(old.pk), "")
    assert event.detail == {"for_good": True}


def test_events_outlive_what_they_tell_of(alice: User) -> None:
    old = talk(alice, deleted_at=A_WHILE_AGO)
    AuditEvent.objects.create(actor=alice, actor_name="alice", action="read", object_id=old.pk)
    User.objects.filter(pk=alice.pk).update(is_active=False)
    Departure.objects.create(person=alice, at=A_WHILE_AGO)
    prune()

    assert not User.objects.exists()
    assert AuditEvent.objects.get(action="read").actor_name == "alice"


def test_a_person_hides_what_is_held_and_nothing_of_it_goes(alice: User) -> None:
    conversation = talk(alice, turns=3)
    Hold.objects.create(conversation=conversation, reason="a matter")
    second = list(conversation.messages.filter(role=Role.USER))[1]

    curation.remove(alice, second.pk)

    assert conversation.messages.count() == 2
    aside = Conversation.objects.exclude(pk=conversation.pk).get()
    assert aside.deleted_at is not None and aside.holds.count() == 1
    assert aside.messages.count() == 4
    catalog.delete(alice, [conversation.pk])
    Conversation.objects.update(deleted_at=A_WHILE_AGO)
    assert prune() == {}
    assert Message.objects.count() == 6


async def test_what_was_said_with_prompts_and_presets_outlives_them(
    alice: User,
    conversation: Conversation,
    endpoint: Endpoint,
    browser: AsyncClient,
    tab_of: Callable[..., Tab],
) -> None:
    """They are tools, which no hold keeps: what was sent with them is, as it was sent."""
    await Hold.objects.acreate(person=alice, reason="a matter")
    written = {"name": "secret", "text": "/echo the plan"}
    await browser.post("/prompts/create/", written)
    await browser.post("/presets/new/save/", {"name": "p", "system_prompt": "Tell nobody."})
    prompt, preset = await Prompt.objects.aget(), await Preset.objects.aget()
    await browser.post(f"/c/{conversation.pk}/preset/", {"preset": preset.pk})
    async with tab_of(alice) as tab:
        await tab.say(prompt.text)
        await tab.until(lambda page: page.status == "complete")

    await browser.post(f"/prompts/{prompt.pk}/delete/")
    await browser.post(f"/presets/{preset.pk}/delete/")
    await browser.post(f"/c/{conversation.pk}/settings/", {"system_prompt": ""})

    assert not await Prompt.objects.aexists() and not await Preset.objects.aexists()
    assert (await conversation.messages.aget(role=Role.USER)).text == "/echo the plan"
    reply = await conversation.messages.aget(role=Role.ASSISTANT)
    assert reply.system_prompt == "Tell nobody."


def test_without_a_hold_a_removed_turn_is_gone(alice: User) -> None:
    conversation = talk(alice, turns=2)

    curation.remove(alice, conversation.messages.filter(role=Role.USER)[1].pk)

    assert Message.objects.count() == 2
    assert Conversation.objects.count() == 1


def test_nothing_deletes_what_is_held(alice: User, bob: User) -> None:
    Hold.objects.create(conversation=talk(alice), reason="a matter")
    Hold.objects.create(person=bob, reason="a matter")
    talk(bob)

    for thing in (alice, bob, *Conversation.objects.all()):
        with pytest.raises(ProtectedError):
            thing.delete()


def told(*arguments: str) -> str:
    out = StringIO()
    call_command("prune", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_says_what_would_go_and_then_what_went(alice: User) -> None:
    talk(alice, deleted_at=A_WHILE_AGO)
    talk(alice, updated_at=LONG_AGO)
    Hold.objects.create(conversation=talk(alice, deleted_at=A_WHILE_AGO), reason="a matter")

    assert told("--dry-run") == (
        "1 conversation would be deleted by age\n"
        "1 conversation, 2 messages, 1 file, 1 link, 1 waiting message would be removed for good\n"
        "1 conversation held\n"
    )
    assert Conversation.objects.count() == 3
    assert told() == (
        "1 conversation deleted by age\n"
        "1 conversation, 2 messages, 1 file, 1 link, 1 waiting message removed for good\n"
        "1 conversation held\n"
    )
    assert told() == "nothing deleted by age\nnothing removed for good\n1 conversation held\n"


@pytest.fixture
def admin(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root", password="x"))
    return client


def test_a_hold_is_placed_and_released_in_the_admin(admin: Client, alice: User) -> None:
    conversation = talk(alice)
    neither = admin.post("/admin/chatapp/hold/add/", {"reason": "a matter"})
    placed = admin.post(
        "/admin/chatapp/hold/add/", {"conversation": conversation.pk, "reason": "a matter"}
    )
    hold = Hold.objects.get()
    changed = admin.post(f"/admin/chatapp/hold/{hold.pk}/change/", {"reason": "another"})
    page = admin.get(f"/admin/chatapp/hold/{hold.pk}/change/").content.decode()
    released = admin.post(f"/admin/chatapp/hold/{hold.pk}/delete/", {"post": "yes"})

    assert "Name either a conversation or a person." in neither.content.decode()
    assert placed.status_code == released.status_code == 302
    assert changed.status_code == 403
    assert "a matter" in page and "root" in page
    events = AuditEvent.objects.order_by("pk")
    assert [event.action for event in events] == [Action.HOLD, Action.RELEASE]
    assert {event.object_id for event in events} == {str(conversation.pk)}
    assert events[0].detail["reason"] == "a matter"
    assert not Hold.objects.exists()


def test_a_held_persons_account_cannot_be_deleted_in_the_admin(admin: Client, alice: User) -> None:
    Hold.objects.create(person=alice, reason="a matter")

    page = admin.post(f"/admin/auth/user/{alice.pk}/delete/", {"post": "yes"}).content.decode()

    assert "would require deleting the following protected related objects" in page
    assert User.objects.filter(pk=alice.pk).exists()


def test_holds_that_cannot_be_released_leave_no_event(admin: Client, alice: User) -> None:
    holds = [Hold.objects.create(person=alice, reason=reason) for reason in ("one", "two")]
    chosen = {"_selected_action": [hold.pk for hold in holds], "post": "yes"}

    def fail(instance: Hold, **_: Any) -> None:
        if instance.reason == "one":
            raise DatabaseError

    post_delete.connect(fail, sender=Hold)
    try:
        with pytest.raises(DatabaseError):
            admin.post("/admin/chatapp/hold/", {"action": "delete_selected", **chosen})
    finally:
        post_delete.disconnect(fail, sender=Hold)

    assert Hold.objects.count() == 2
    assert not AuditEvent.objects.filter(action=Action.RELEASE).exists()


def test_who_may_not_place_holds_sees_none(alice: User, client: Client) -> None:
    alice.is_staff = True
    alice.save()
    client.force_login(alice)
    Hold.objects.create(person=alice, reason="a matter")

    assert client.get("/admin/chatapp/hold/").status_code == 403
    assert client.get("/admin/chatapp/hold/add/").status_code == 403
