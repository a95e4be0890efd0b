"""An empty database and a wish → users with sessions and conversations; prints them as JSON.

Runs in a process of its own with the server's environment. Input: `{"clients": how many, "model":
the loopback model's URL, "messages": how many the last client's conversation has}`. Output:
`{"endpoint": id, "cookie": name, "clients": [{"session": key, "conversation": id}]}`.
"""

import json
import os
import sys
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatapp.settings")

import django

django.setup()

from django.conf import settings  # noqa: E402 - needs the app registry, as all below
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.contrib.sessions.backends.db import SessionStore  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import transaction  # noqa: E402

from chatapp.models import Conversation, Endpoint  # noqa: E402
from tests.growing import grow  # noqa: E402


def prepare(clients: int, model: str, messages: int = 0) -> dict[str, Any]:
    call_command("migrate", verbosity=0)
    with transaction.atomic():
        endpoint = Endpoint.objects.create(
            name="bench",
            protocol="openai",
            url=f"{model}/v1",
            model="bench",
            options={"titles": False},  # calls are counted
        )
        made = [_client(f"reader-{number}") for number in range(clients)]
        if messages:
            grow(Conversation.objects.get(pk=made[-1]["conversation"]), messages, words=120)
    return {"endpoint": endpoint.pk, "cookie": settings.SESSION_COOKIE_NAME, "clients": made}


def _client(name: str) -> dict[str, str]:
    user = User(username=name)
    user.set_unusable_password()
    user.save()
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    conversation = Conversation.objects.create(owner=user)
    return {"session": str(session.session_key), "conversation": str(conversation.pk)}


if __name__ == "__main__":
    json.dump(prepare(**json.load(sys.stdin)), sys.stdout)
