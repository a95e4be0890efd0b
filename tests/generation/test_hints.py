import asyncio
import uuid

from chatapp.generation.hints import notify, unwatch, watch


async def test_a_hint_before_the_wait_is_not_lost() -> None:
    conversation = uuid.uuid4()
    watching = watch(conversation)

    notify(conversation, turns_changed=True)
    await asyncio.wait_for(watching.change(60), 30)

    assert watching.turns_changed
    unwatch(conversation, watching)


async def test_without_a_hint_the_watch_wakes_by_itself() -> None:
    conversation = uuid.uuid4()
    watching = watch(conversation)

    await asyncio.wait_for(watching.change(0.01), 30)

    assert not watching.turns_changed
    unwatch(conversation, watching)


def test_a_hint_that_nobody_watches_does_nothing() -> None:
    notify(uuid.uuid4())
