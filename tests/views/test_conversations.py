"""The pages as links and forms, before any script runs."""

import uuid
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import AsyncClient, Client, RequestFactory
from django.test.utils import CaptureQueriesContext

from chatapp.models import Conversation, Endpoint, Message, Role, Status
from chatapp.serving.middleware import CONTENT_SECURITY_POLICY
from chatapp.views.chat_page import filled_in
from chatapp.views.demo import token_for
from tests.tab import NOBODYS_ID


def form(**values: Any) -> dict[str, Any]:
    return {"text": "/echo hi", "key": str(uuid.uuid4())} | values


async def test_the_first_message_begins_a_conversation(
    browser: AsyncClient, endpoint: Endpoint
) -> None:
    new = uuid.uuid4()

    answer = await browser.post(f"/c/{new}/messages/", form())

    conversation = await Conversation.objects.aget()
    assert (answer.status_code, answer.headers["location"]) == (302, f"/c/{new}/")
    assert (conversation.pk, conversation.title) == (new, "/echo hi")
    assert await Message.objects.acount() == 2


async def test_the_same_form_twice_asks_once(browser: AsyncClient, endpoint: Endpoint) -> None:
    new, values = uuid.uuid4(), form()

    for _ in range(3):
        assert (await browser.post(f"/c/{new}/messages/", values)).status_code == 302

    assert await Message.objects.filter(role=Role.USER).acount() == 1


async def test_what_is_refused_comes_back_in_the_box_with_the_reason(
    browser: AsyncClient, endpoint: Endpoint
) -> None:
    long = "x" * 32_001

    answer = await browser.post(f"/c/{uuid.uuid4()}/messages/", form(text=long))

    assert answer.status_code == 422
    assert long in answer.content.decode()
    assert "32,001" in answer.content.decode()
    assert not await Conversation.objects.aexists()


async def test_a_refused_wish_leaves_the_endpoint_as_it_was(
    browser: AsyncClient, alice: User, endpoint: Endpoint
) -> None:
    own = await Endpoint.objects.acreate(
        name="their own", protocol="openai", url=endpoint.url, position=9
    )
    conversation = await Conversation.objects.acreate(owner=alice, endpoint=own)
    message = await Message.objects.acreate(conversation=conversation, role=Role.USER, text="hi")

    answer = await browser.post(f"/messages/{message.pk}/like/")

    assert answer.status_code == 422
    composer = answer.content.decode().partition('id="composer"')[2].partition("</form>")[0]
    assert f'<option value="{own.pk}" selected' in composer


async def test_someone_elses_conversation_is_not_found(
    browser: AsyncClient, bob: User, endpoint: Endpoint
) -> None:
    theirs = await Conversation.objects.acreate(owner=bob)
    message = await Message.objects.acreate(
        conversation=theirs, role=Role.ASSISTANT, status=Status.ERROR
    )

    answers = [
        await browser.get(f"/c/{theirs.pk}/"),
        await browser.post(f"/c/{theirs.pk}/messages/", form()),
        await browser.post(f"/messages/{message.pk}/stop/"),
        await browser.post(f"/messages/{message.pk}/retry/"),
        await browser.get(f"/c/{uuid.uuid4()}/"),
    ]

    assert [answer.status_code for answer in answers] == [404] * 5
    assert await theirs.messages.acount() == 1


@pytest.mark.parametrize("path", ["/", f"/c/{NOBODYS_ID}/"])
async def test_a_stranger_is_asked_to_sign_in(path: str, db: None) -> None:
    answer = await AsyncClient().get(path)

    assert answer.status_code == 302
    assert answer.headers["location"].startswith("/login/")


async def test_changes_need_a_post_with_the_forms_token(alice: User, endpoint: Endpoint) -> None:
    strict = AsyncClient(enforce_csrf_checks=True)
    await strict.aforce_login(alice)

    assert (await strict.post(f"/c/{uuid.uuid4()}/messages/", form())).status_code == 403
    assert (await strict.get(f"/c/{uuid.uuid4()}/messages/")).headers["location"] == "/"
    assert not await Message.objects.aexists()


async def test_every_page_carries_the_policy(browser: AsyncClient, endpoint: Endpoint) -> None:
    for path in ("/", "/login/", "/admin/login/", "/nowhere/"):
        answer = await browser.get(path)

        assert answer.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.usefixtures("transactional_db")
def test_a_page_reads_the_endpoints_once(alice: User) -> None:
    Endpoint.objects.create(name="scripted", protocol="openai", url="http://x/v1")
    request = RequestFactory().post("/")
    request.user = alice

    with CaptureQueriesContext(connection) as queries:
        page = filled_in(request, alice, uuid.uuid4(), None)

    assert b">scripted</option>" in page.content
    assert len([q for q in queries if "FROM chatapp_endpoint" in q["sql"].replace('"', "")]) == 1


async def test_nothing_a_person_wrote_is_markup(
    browser: AsyncClient, alice: User, endpoint: Endpoint
) -> None:
    hostile = '<script>x</script>"><hx-partial hx-target="#tail">'
    conversation = await Conversation.objects.acreate(owner=alice, title=hostile)
    await Message.objects.acreate(conversation=conversation, role=Role.USER, text=hostile)

    page = (await browser.get(f"/c/{conversation.pk}/")).content.decode()

    assert "<script>x" not in page and "<hx-partial" not in page
    assert page.count("&lt;script&gt;") >= 2


def test_the_printed_link_signs_in_and_only_while_the_demo_is_on(
    alice: User, settings: Any
) -> None:
    client = Client()

    assert client.get(f"/demo/{token_for('alice')}/").headers["location"] == "/"
    assert client.get("/").status_code == 200
    assert Client().get("/demo/forged/").headers["location"] == "/login/"
    settings.DEMO = False
    assert Client().get(f"/demo/{token_for('alice')}/").status_code == 404


def test_the_link_never_signs_an_administrator_in(db: None) -> None:
    User.objects.create_superuser("root", password="x")

    assert Client().get(f"/demo/{token_for('root')}/").headers["location"] == "/login/"


def test_names_and_passwords_sign_in(alice: User) -> None:
    client = Client()

    wrong = client.post("/login/", {"username": "alice", "password": "nope"})
    right = client.post("/login/", {"username": "alice", "password": "correct horse"})

    assert wrong.status_code == 200 and "do not fit" in wrong.content.decode()
    assert right.headers["location"] == "/"
