"""`python -m tests.e2e.prepare_long NUMBER` → a conversation of the demo's visitor with so many
messages; prints its id and theirs as JSON."""

import json
import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatapp.settings")

import django

django.setup()

from django.contrib.auth.models import User  # noqa: E402 - needs the app registry

from chatapp.models import Conversation, Endpoint  # noqa: E402
from tests.growing import grow  # noqa: E402

if __name__ == "__main__":
    visitor = User.objects.filter(is_staff=False).get()
    conversation = Conversation.objects.create(
        owner=visitor, title="A long conversation", endpoint=Endpoint.objects.first()
    )
    made = grow(conversation, int(sys.argv[1]), words=60)
    print(json.dumps([str(conversation.pk), [str(message.pk) for message in made]]))
