"""The service's switch, and deletion and restoring by administrators."""

import re
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import AsyncClient, Client
from django.utils import timezone

from chatapp.database import write
from chatapp.models import AuditEvent, Conversation, Message
from chatapp.models.summary import catch_up_wholly
from tests.admin.test_audit import signed_in
from tests.rights import staff
from tests.tab import Tab
from tests.transfer.talks import said

LIST = "/admin/chatapp/conversation/"
SENTENCE = "ADMIN_READS_CONVERSATIONS is off"


@pytest.fixture
def remover(transactional_db: None) -> Client:
    return signed_in(staff("rita", rights=("view_conversation", "delete_conversation")))


@pytest.fixture
def switched_off(settings: object) -> None:
    settings.ADMIN_READS_CONVERSATIONS = False  # type: ignore[attr-defined]


def chosen(action: str, *conversations: Conversation, **more: str) -> dict[str, object]:
    return {"action": action, "_selected_action": [c.pk for c in conversations], **more}


def hidden_fields_of(page: str) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))


def events() -> list[tuple[str, str, str]]:
    rows = AuditEvent.objects.order_by("id")
    return [(event.action, event.actor_name, event.object_id) for event in rows]


def test_a_deleted_conversation_is_kept_and_written_down(
    remover: Client, conversation: Conversation
) -> None:
    address = f"{LIST}{conversation.pk}/delete/"

    asked = remover.get(address)
    answer = remover.post(address, {"post": "yes"})

    assert "It can be restored" in asked.content.decode()
    assert answer.status_code == 302
    conversation.refresh_from_db()
    assert conversation.deleted_at is not None
    assert events() == [("delete", "rita", str(conversation.pk))]


def test_the_selected_ones_are_deleted_and_restored(remover: Client, alice: User) -> None:
    first, second, other = (Conversation.objects.create(owner=alice, title=t) for t in "ABC")
    before = other.updated_at

    asked = remover.post(LIST, chosen("delete_selected", first, second))
    remover.post(LIST, chosen("delete_selected", first, second, post="yes"))

    assert "It can be restored" not in asked.content.decode()
    assert "They can be restored" in asked.content.decode()
    assert set(Conversation.objects.exclude(deleted_at=None)) == {first, second}

    remover.post(LIST, chosen("restore_selected", first, other))

    assert set(Conversation.objects.exclude(deleted_at=None)) == {second}
    other.refresh_from_db()
    assert other.updated_at == before, "there was nothing to restore"
    assert [action for action, _, _ in events()] == ["delete", "delete", "restore"]


def test_what_is_gone_is_not_deleted_again(remover: Client, alice: User) -> None:
    gone = Conversation.objects.create(owner=alice, title="A", deleted_at=timezone.now())
    kept = Conversation.objects.create(owner=alice, title="B")

    both = remover.post(LIST, chosen("delete_selected", gone, kept, post="yes"), follow=True)
    again = remover.post(LIST, chosen("delete_selected", gone, kept, post="yes"), follow=True)

    assert "Successfully deleted 1 conversation." in both.content.decode()
    assert "They were deleted before." in again.content.decode()
    assert events() == [("delete", "rita", str(kept.pk))]


def test_whoever_empties_the_last_page_comes_to_the_first(remover: Client, alice: User) -> None:
    Conversation.objects.bulk_create(Conversation(owner=alice, title=f"{n}") for n in range(51))
    catch_up_wholly()
    last = Conversation.objects.order_by("active_at")[0]

    form = chosen("delete_selected", last, post="yes")
    answer = remover.post(f"{LIST}?deleted=no&p=2", form, follow=True)

    assert answer.redirect_chain == [(f"{LIST}?deleted=no", 302)] and answer.status_code == 200


def test_a_title_hides_nothing_from_whoever_deletes(remover: Client, alice: User) -> None:
    turned = Conversation.objects.create(owner=alice, title="\u202eevil\u202c")

    page = remover.get(f"{LIST}{turned.pk}/delete/").content.decode()
    page += remover.post(LIST, chosen("delete_selected", turned)).content.decode()
    done = remover.post(f"{LIST}{turned.pk}/delete/", {"post": "yes"}, follow=True)
    page += done.content.decode()

    assert "\u202e" not in page and page.count("U+202Eevil") >= 4


def test_more_are_deleted_than_a_form_has_fields(remover: Client, alice: User) -> None:
    Conversation.objects.bulk_create(Conversation(owner=alice, title=f"{n}") for n in range(120))
    first = Conversation.objects.first()
    assert first is not None

    page = remover.post(LIST, chosen("delete_selected", first, select_across="1"))
    shown = page.content.decode()
    remover.post(LIST, hidden_fields_of(shown))

    assert "and 100 more" in shown and len(hidden_fields_of(shown)) < 10
    assert not Conversation.objects.filter(deleted_at=None).exists()
    assert len(events()) == 120


async def test_its_open_page_hears_of_it(
    alice: User, conversation: Conversation, tab_of: Callable[..., Tab]
) -> None:
    tab = tab_of(alice)
    await write(said, conversation, None, "hello", 0)
    root = await write(User.objects.create_superuser, "root")
    client = AsyncClient()
    await client.aforce_login(root)

    async with tab:
        await tab.until(lambda page: page.articles)
        await client.post(f"{LIST}{conversation.pk}/delete/", {"post": "yes"})

        assert await tab.until_closed() == 4404


def test_deleting_needs_its_own_right(conversation: Conversation) -> None:
    auditor = signed_in(staff("anna", "Auditor"))

    assert auditor.get(f"{LIST}{conversation.pk}/delete/").status_code == 403
    auditor.post(LIST, chosen("delete_selected", conversation, post="yes"))
    auditor.post(LIST, chosen("restore_selected", conversation))

    assert Conversation.objects.filter(deleted_at=None).exists()
    assert events() == []


@pytest.mark.usefixtures("switched_off")
def test_the_switch_hides_all_conversations_and_says_its_name(conversation: Conversation) -> None:
    Conversation.objects.update(title="Alice's own words")
    said(conversation, None, "what she wrote", 0)
    root = signed_in(User.objects.create_superuser("root"))
    own = f"{LIST}{conversation.pk}/"
    nonsense = "00000000-0000-0000-0000-000000000000"
    addresses = [LIST, f"{own}change/", f"{own}delete/", f"{own}history/", f"{LIST}export/"]
    addresses += [f"{LIST}export/{nonsense}/progress/", own]

    answers = [root.get(address) for address in addresses]
    answers += [root.post(address, {"kind": "csv", "key": nonsense}) for address in addresses]

    assert {answer.status_code for answer in answers} == {403}
    assert all(SENTENCE in answer.content.decode() for answer in answers)
    assert LIST not in root.get("/admin/").content.decode()
    assert not AuditEvent.objects.exists()
    assert Message.objects.exists()


@pytest.mark.parametrize("are_read", [True, False])
def test_the_chat_page_says_whether_administrators_read(
    are_read: bool, alice: User, settings: object
) -> None:
    settings.ADMIN_READS_CONVERSATIONS = are_read  # type: ignore[attr-defined]
    staff("anna", "Auditor")
    staff("otto", "Operator")
    client = signed_in(alice)

    page = client.get("/").content.decode()
    more = client.get("/oversight/").content.decode()

    assert ("Administrators can read" in page) is are_read
    assert ("anna" in more, "otto" in more, "keeps them from" in more) == (
        are_read,
        False,
        not are_read,
    )
