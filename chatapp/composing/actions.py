"""A named wish about one message → what it does; the same over the socket and as a plain form.

`Authorised` is how the caller knows the person: it calls `work(user, …)` on a database thread.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from chatapp.database import read, write
from chatapp.errors import InvalidInput
from chatapp.forms import attachment_ids, clean_text, endpoint_id_in, uuid_in
from chatapp.generation import bus, registry, turns
from chatapp.library import curation
from chatapp.models import message_for

Authorised = Callable[..., Any]

# What begins a reply: the name → the work and what it takes from the form.
_LAUNCHES: dict[str, tuple[Callable[..., Any], Callable[[Mapping[str, Any]], tuple[Any, ...]]]] = {
    "retry": (turns.retry, lambda form: (endpoint_id_in(form),)),
    "regenerate": (turns.regenerate, lambda form: (endpoint_id_in(form),)),
    "continue": (turns.resume, lambda form: ()),
    "edit": (turns.edit, lambda form: (clean_text(form.get("text")), uuid_in(form, "key"))),
}
_CHANGES: dict[str, Callable[..., UUID]] = {
    "choose": curation.choose,
    "remove": curation.remove,
    **{name: partial(curation.rate, rating=rating) for name, rating in curation.RATINGS.items()},
}
QUEUE_ACTIONS = ("queue", "stop-and-send", "unqueue", "send-now")
MESSAGE_ACTIONS = ("stop", *_LAUNCHES, *_CHANGES)


async def act(name: str, message_id: UUID, form: Mapping[str, Any], authorised: Authorised) -> None:
    """Does it. Raises InvalidInput with the sentence for the person, and what `authorised` does."""
    if name == "stop":
        await read(authorised, message_for, message_id)
        await registry.stop(message_id)
    elif name in _LAUNCHES:
        work, arguments = _LAUNCHES[name]
        await registry.launch(authorised, work, message_id, *arguments(form))
    elif name in _CHANGES:
        has_reason = name in curation.RATINGS and "reason" in form
        reason = {"reason": clean_text(form["reason"])} if has_reason else {}
        bus.announce(await write(authorised, _CHANGES[name], message_id, **reason))
    else:
        raise unknown(name)


def sending_in(conversation_id: UUID, form: Mapping[str, Any]) -> turns.Sending:
    """What the composer's form sends. Raises InvalidInput."""
    return turns.Sending(
        conversation_id,
        clean_text(form.get("text")),
        uuid_in(form, "key"),
        endpoint_id_in(form),
        attachment_ids(form.get("attachment")),
    )


def unknown(name: str) -> InvalidInput:
    """The sentence for a wish that nobody here can grant."""
    names = ", ".join(f"“{known}”" for known in ("send", *QUEUE_ACTIONS, *MESSAGE_ACTIONS))
    return InvalidInput(
        _("The action “%(name)s” is unknown; the actions are %(names)s.")
        % {"name": name[:40], "names": names}
    )
