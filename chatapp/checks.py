"""The configuration → what must not go into production, said before it does."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from chatapp.database import is_shared
from chatapp.errors import InvalidInput
from chatapp.upstream.addresses import allowed_hosts


@register(deploy=True)
def check_secret_key(app_configs: Any, **kwargs: Any) -> Sequence[CheckMessage]:
    key = settings.SECRET_KEY
    if settings.HAS_OWN_SECRET_KEY and len(key) >= 50 and not key.startswith("django-insecure"):
        return []
    return [
        Error(
            "SECRET_KEY must be set to at least 50 random characters.",
            hint='python -c "import secrets; print(secrets.token_urlsafe(50))"',
            id="chatapp.E001",
        )
    ]


@register(deploy=True)
def check_processes(app_configs: Any, **kwargs: Any) -> Sequence[CheckMessage]:
    if settings.WEB_CONCURRENCY == 1 or is_shared():
        return []
    return [
        Error(
            f"WEB_CONCURRENCY is {settings.WEB_CONCURRENCY}, and SQLite alone serves one process.",
            hint="Set REDIS_URL, or DATABASE_URL to a PostgreSQL database.",
            id="chatapp.E003",
        )
    ]


@register(deploy=True)
def check_allowed_hosts(app_configs: Any, **kwargs: Any) -> Sequence[CheckMessage]:
    if "*" not in settings.ALLOWED_HOSTS:
        return []
    return [
        Error(
            "ALLOWED_HOSTS must name this site's hosts: with * any site could open our sockets.",
            id="chatapp.E002",
        )
    ]


@register(deploy=True)
def check_upstream_hosts(app_configs: Any, **kwargs: Any) -> Sequence[CheckMessage]:
    try:
        allowed_hosts(tuple(settings.UPSTREAM_ALLOWED_HOSTS))
    except InvalidInput as error:
        return [Error(str(error), id="chatapp.E007")]
    return []
