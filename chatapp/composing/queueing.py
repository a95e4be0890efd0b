"""A wish about the queue → what it does; the same over the socket and as a plain form.

`authorised` is how the caller knows the person, as in `actions`.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from chatapp.composing.actions import Authorised, sending_in
from chatapp.database import write
from chatapp.forms import uuid_in
from chatapp.generation import bus, queue, registry
from chatapp.generation.queue import Returned

# What comes from the composer: it waits, or what runs is stopped for it.
SENDINGS = ("queue", "stop-and-send")


async def change(
    action: str, conversation_id: UUID, form: Mapping[str, Any], authorised: Authorised
) -> Returned | None:
    """Does one of `actions.QUEUE_ACTIONS`; returns what `unqueue` gives back, else None.

    Raises InvalidInput with the sentence for the person, and what `authorised` does.
    """
    if action in SENDINGS:
        await _enqueue(conversation_id, form, authorised, is_urgent=action == "stop-and-send")
        return None
    queued_id = uuid_in(form, "queued")
    if action == "unqueue":
        returned: Returned = await write(authorised, queue.take_back, conversation_id, queued_id)
        bus.announce(conversation_id)
        return returned
    await registry.launch(authorised, queue.send_now, conversation_id, queued_id)
    bus.announce(conversation_id)
    return None


async def _enqueue(
    conversation_id: UUID, form: Mapping[str, Any], authorised: Authorised, *, is_urgent: bool
) -> None:
    sending = sending_in(conversation_id, form)
    for reply_id in await write(authorised, queue.enqueue, sending, is_urgent=is_urgent):
        await registry.stop(reply_id)
    bus.announce(conversation_id)
    # The reply may have ended while this was under way, and nobody else would look soon.
    await registry.send_queued(conversation_id)
