"""Hints about conversations → hints to the pages of their people."""

import asyncio

import pytest
from django.contrib.auth.models import User

from chatapp.generation import hints, lists
from chatapp.models import Conversation


@pytest.fixture(autouse=True)
def _nobody_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "_owners", {})


async def test_a_full_memory_of_owners_loses_no_hint(
    alice: User, bob: User, conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "_MOST_KNOWN", 0)
    theirs = await Conversation.objects.acreate(owner=bob)
    watching = hints.Watch()
    hints.watch_list(alice.pk, watching)
    try:
        for changed in ([conversation.pk], [conversation.pk, theirs.pk]):
            watching.list_changed = False
            for conversation_id in changed:
                lists.tell(conversation_id)
            async with asyncio.timeout(30):
                while not watching.list_changed:
                    await watching.change(30)
    finally:
        hints.unwatch_list(alice.pk, watching)
        watching.close()
