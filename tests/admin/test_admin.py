"""The administrator's pages: endpoints are checked as they are typed, transcripts are text."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from chatapp.models import Conversation, Endpoint, Message, Role


@pytest.fixture
def admin(db: None) -> Client:
    User.objects.create_superuser("root", password="x")
    client = Client()
    client.force_login(User.objects.get(username="root"))
    return client


def endpoint_form(**values: object) -> dict[str, object]:
    return {
        "name": "vllm",
        "protocol": "openai",
        "url": "http://127.0.0.1:8000/v1",
        "options": "{}",
        "connect_timeout_s": 10,
        "first_byte_timeout_s": 300,
        "silence_timeout_s": 60,
        "total_timeout_s": 900,
        "enabled": "on",
        "position": 1,
    } | values


def test_an_endpoint_can_be_added(admin: Client) -> None:
    answer = admin.post("/admin/chatapp/endpoint/add/", endpoint_form())

    assert answer.status_code == 302
    assert Endpoint.objects.get().name == "vllm"


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"url": "ftp://x"}, "https:// or http://"),
        ({"url": "http://user:pass@x/"}, "user name or password"),
        ({"options": '{"nonsense": 1}'}, "nonsense"),
        ({"api_key_env": "SECRET_KEY"}, "_API_KEY or _TOKEN"),
    ],
)
def test_what_could_not_be_called_is_said_in_the_form(
    values: dict[str, object], sentence: str, admin: Client
) -> None:
    answer = admin.post("/admin/chatapp/endpoint/add/", endpoint_form(**values))

    assert answer.status_code == 200
    assert sentence in answer.content.decode()
    assert not Endpoint.objects.exists()


def test_a_transcript_is_text_and_cannot_be_altered(admin: Client, alice: User) -> None:
    conversation = Conversation.objects.create(owner=alice, title="Hostile")
    Message.objects.create(
        conversation=conversation, role=Role.ASSISTANT, text="<script>x</script> **bold**"
    )

    found = admin.get("/admin/chatapp/conversation/?q=bold").content.decode()
    page = admin.get(f"/admin/chatapp/conversation/{conversation.pk}/change/").content.decode()
    altered = admin.post(
        f"/admin/chatapp/conversation/{conversation.pk}/change/", {"title": "Changed"}
    )

    assert "Hostile" in found
    assert "&lt;script&gt;x&lt;/script&gt; **bold**" in page
    assert altered.status_code == 403
