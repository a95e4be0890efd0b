"""A conversation that changed → a hint to the pages of its person, whose list may look different.

Hints name conversations; whose they are is looked up for many at once, and once only.
"""

import asyncio
from collections.abc import Collection
from uuid import UUID

from django.db import Error as DatabaseTrouble

from chatapp.database import read
from chatapp.generation import hints
from chatapp.generation.background import begin
from chatapp.models import Conversation

GATHER_S = 0.1
_PAUSE_S = 1.0
_MOST_KNOWN = 50_000

_owners: dict[UUID, int] = {}
_changed: set[UUID] = set()
_teller: asyncio.Task[None] | None = None


def tell(conversation_id: UUID) -> None:
    """Has the person's pages hear of it in a moment; returns at once."""
    global _teller
    if not hints.watched_lists():
        return
    _changed.add(conversation_id)
    if _teller is None or _teller.done():
        _teller = begin(_tell())


async def _tell() -> None:
    while _changed:
        await asyncio.sleep(GATHER_S)
        batch = set(_changed)
        if len(_owners) > _MOST_KNOWN:
            _owners.clear()
        try:
            await _learn_owners(batch - _owners.keys())
        except DatabaseTrouble:
            await asyncio.sleep(_PAUSE_S)
            continue
        _changed.difference_update(batch)
        for person_id in {_owners[i] for i in batch if i in _owners}:
            hints.notify_list(person_id)


async def _learn_owners(conversation_ids: Collection[UUID]) -> None:
    if conversation_ids:
        _owners.update(await read(_owners_of, conversation_ids))


def _owners_of(conversation_ids: Collection[UUID]) -> dict[UUID, int]:
    found = Conversation.objects.filter(pk__in=conversation_ids)
    return dict(found.values_list("pk", "owner_id"))
