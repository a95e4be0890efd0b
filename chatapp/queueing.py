"""A wish about the queue → what it does; the same over the socket and as a plain form.

`authorised` is how the caller knows the person, as in `actions`.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from chatapp.actions import Authorised
from chatapp.database import write
from chatapp.errors import InvalidInput
from chatapp.forms import clean_text, endpoint_id_in, uuid_in
from chatapp.generation import bus, queue, registry
from chatapp.generation.turns import Sending


async def change(
    action: str, conversation_id: UUID, form: Mapping[str, Any], authorised: Authorised
) -> str:
    """Does one of `actions.QUEUE_ACTIONS`; returns the text that `unqueue` gives back, else "".

    Raises InvalidInput with the sentence for the person, and what `authorised` does.
    """
    if action == "queue":
        await _enqueue(conversation_id, form, authorised)
        return ""
    queued_id = uuid_in(form, "queued")
    if action == "unqueue":
        text: str = await write(authorised, queue.take_back, conversation_id, queued_id)
        bus.announce(conversation_id)
        return text
    await registry.launch(authorised, queue.send_now, conversation_id, queued_id)
    bus.announce(conversation_id)
    return ""


async def _enqueue(conversation_id: UUID, form: Mapping[str, Any], authorised: Authorised) -> None:
    if form.get("attachment"):
        raise InvalidInput(
            _("Files can't wait in the queue. Send this when the reply before has ended.")
        )
    sending = Sending(
        conversation_id,
        clean_text(form.get("text")),
        uuid_in(form, "key"),
        endpoint_id_in(form),
    )
    await write(authorised, queue.enqueue, sending)
    bus.announce(conversation_id)
    # The reply may have ended while this was under way, and nobody else would look soon.
    await registry.send_queued(conversation_id)
