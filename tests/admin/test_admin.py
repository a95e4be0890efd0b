"""The administrator's pages: endpoints are checked as they are typed."""

import pytest
from django.test import Client

from chatapp.models import Endpoint


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
