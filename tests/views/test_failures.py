"""Requests that fail before anybody knows whose they are."""

import logging
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import AsyncClient

from chatapp.serving.middleware import CONTENT_SECURITY_POLICY


@pytest.fixture
def behind_a_proxy(settings: Any) -> None:
    """As TRUST_PROXY=on sets it."""
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.SECURE_SSL_REDIRECT = True


def check_headers(answer: HttpResponse) -> None:
    assert answer.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "X-Request-ID" in answer.headers


async def test_a_foreign_host_is_told_so_and_the_log_names_the_variable(
    behind_a_proxy: None, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.ALLOWED_HOSTS = ["chat.example"]

    with caplog.at_level(logging.ERROR):
        answer = await AsyncClient().get("/")

    assert answer.status_code == 400
    assert "<h1>Bad request</h1>" in answer.content.decode()
    check_headers(answer)
    (line,) = caplog.records
    assert line.name == "django.security.DisallowedHost"
    assert "ALLOWED_HOSTS" in line.getMessage()


async def test_a_middleware_that_breaks_leads_to_our_page(
    behind_a_proxy: None, settings: Any
) -> None:
    first = settings.MIDDLEWARE.index("django.middleware.security.SecurityMiddleware")
    settings.MIDDLEWARE = [*settings.MIDDLEWARE[:first], "tests.views.broken.breaking"]

    answer = await AsyncClient(raise_request_exception=False).get("/")

    assert answer.status_code == 500
    assert "<h1>Something broke</h1>" in answer.content.decode()
    check_headers(answer)
