"""Forms that were posted after their session ended, or from elsewhere."""

import pytest
from django.contrib.auth.models import User
from django.test import AsyncClient

FORMS = [
    ("/c/0b0e6a5c-6d34-4f0c-9c8e-3f8f5a2d9f11/messages/", {"text": "a <b>long</b> thought"}),
    ("/prompts/create/", {"name": "review", "text": "a <b>long</b> thought"}),
    ("/presets/new/save/", {"name": "mine", "system_prompt": "a <b>long</b> thought"}),
    (
        "/c/0b0e6a5c-6d34-4f0c-9c8e-3f8f5a2d9f11/settings/",
        {"system_prompt": "a <b>long</b> thought"},
    ),
]


@pytest.fixture
def stranger(transactional_db: None) -> AsyncClient:
    return AsyncClient(enforce_csrf_checks=True)


@pytest.mark.parametrize(("address", "values"), FORMS)
async def test_who_was_signed_out_gets_back_what_they_typed(
    address: str, values: dict[str, str], stranger: AsyncClient
) -> None:
    secrets = {"csrfmiddlewaretoken": "the-token", "password": "the-password"}

    answer = await stranger.post(address, values | secrets)

    page = answer.content.decode()
    assert answer.status_code == 403
    assert "no-store" in answer.headers["Cache-Control"]
    assert "You were signed out meanwhile" in page
    assert '<a href="/login/" target="_blank">' in page
    assert "\na &lt;b&gt;long&lt;/b&gt; thought</textarea>" in page
    assert "the-token" not in page
    assert "the-password" not in page


async def test_what_another_site_posts_is_not_shown(stranger: AsyncClient) -> None:
    answer = await stranger.post(*FORMS[0], headers={"origin": "https://evil.example"})

    page = answer.content.decode()
    assert answer.status_code == 403
    assert "Not allowed" in page
    assert "thought" not in page


async def test_who_is_signed_in_is_told_to_reload(stranger: AsyncClient, alice: User) -> None:
    await stranger.aforce_login(alice)

    answer = await stranger.post(*FORMS[0])

    page = answer.content.decode()
    assert answer.status_code == 403
    assert "reload the page" in page
    assert "thought</textarea>" in page


async def test_nobody_is_signed_out_where_they_sign_in(stranger: AsyncClient) -> None:
    answer = await stranger.post("/login/", {"username": "alice", "password": "the-password"})

    page = answer.content.decode()
    assert answer.status_code == 403
    assert "signed out" not in page
    assert "the-password" not in page
