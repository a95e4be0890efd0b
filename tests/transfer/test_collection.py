"""Many people's conversations in one file: how much is held at a time, and what the row tells."""

import asyncio
from typing import Any
from uuid import UUID
from weakref import WeakSet

from django.contrib.auth.models import User
from django.db import models
from django.db.models import signals

from chatapp.database import read, write
from chatapp.models import Conversation, Export
from chatapp.transfer import slices
from chatapp.transfer.collection import sent
from tests.transfer.test_exporting import many


async def begun(actor: User, kind: str = "jsonl") -> tuple[Export, list[UUID]]:
    ids = await read(lambda: list(Conversation.objects.values_list("pk", flat=True)))
    return await Export.objects.acreate(actor=actor, kind=kind, total=len(ids)), ids


async def test_two_thousand_conversations_are_never_held_together(alice: User) -> None:
    await write(many, alice, 2_000, chars=2_000)
    export, ids = await begun(alice)
    alive: WeakSet[models.Model] = WeakSet()

    def born(instance: models.Model, **_: Any) -> None:
        alive.add(instance)

    most, largest = 0, 0
    noted: list[int] = []
    told: list[UUID] = []
    signals.post_init.connect(born)
    try:
        async for data in sent(
            export, ids, told.extend, lambda export: noted.append(export.messages)
        ):
            most, largest = max(most, len(alive)), max(largest, len(data))
    finally:
        signals.post_init.disconnect(born)
    await until(lambda: noted)

    assert most <= 3 * (slices.CONVERSATIONS + slices.MESSAGES)
    assert largest < slices.PIECES * 4_000
    assert noted == [2_000] and told == ids


async def test_what_changes_meanwhile_does_no_harm(alice: User) -> None:
    await write(many, alice, 120)
    export, ids = await begun(alice, "csv")
    noted: list[bool] = []
    parts = sent(export, ids, list, lambda export: noted.append(export.is_complete))

    await anext(parts)
    await Conversation.objects.filter(pk__in=ids[60:]).adelete()
    rest = [part async for part in parts]
    await until(lambda: noted)

    assert rest and noted == [True]
    assert 50 <= export.messages < 120 and export.messages == export.conversations


async def test_a_reader_who_leaves_is_noted_with_what_they_got(alice: User) -> None:
    await write(many, alice, 300)
    export, ids = await begun(alice)
    noted: list[tuple[bool, int]] = []
    told: list[UUID] = []
    parts = sent(
        export,
        ids,
        told.extend,
        lambda export: noted.append((export.is_complete, export.messages)),
    )

    await anext(parts)
    await anext(parts)
    await parts.aclose()  # type: ignore[attr-defined]
    await until(lambda: noted)

    ((is_complete, messages),) = noted
    assert not is_complete and 0 < messages <= slices.PIECES
    assert messages <= len(told) < len(ids), "what is not sent is not noted"
    assert (await Export.objects.aget()).finished_at


async def until(holds: Any) -> None:
    async with asyncio.timeout(30):
        while not holds():
            await asyncio.sleep(0.01)
