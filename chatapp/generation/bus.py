"""A hint here → the same hint in every process, over one Redis channel.

Without Redis, or while it is away, the others find out from the database instead (`upkeep`,
`mirrors`): a hint that is lost costs a second, never a token.
"""

import asyncio
import logging
from collections.abc import Callable
from uuid import UUID

from chatapp.generation import hints, lists
from chatapp.generation.background import begin
from chatapp.generation.process import PROCESS
from chatapp.generation.redis_client import client, log_trouble, trouble

logger = logging.getLogger(__name__)

CHANNEL = "chatapp"
_READ_S = 5.0
_PAUSE_S = 1.0

_is_listening = False


def is_listening() -> bool:
    """Whether hints of other processes arrive here, as far as we know."""
    return _is_listening


def announce(conversation_id: UUID) -> None:
    """Tells everyone who watches the conversation or its person's list, in any process, that it
    changed."""
    _tell_here(conversation_id)
    _publish("changed", conversation_id)


def pass_on_stop(reply_id: UUID) -> None:
    """Tells the process that makes the reply; the row tells it again if this is lost."""
    _publish("stop", reply_id)


async def listen(on_stop: Callable[[UUID], object]) -> None:
    """Turns what other processes say into hints and stops, until it is cancelled."""
    global _is_listening
    while (redis := client()) is not None:
        try:
            async with redis.pubsub(ignore_subscribe_messages=True) as channel:
                await channel.subscribe(CHANNEL)
                _is_listening = True
                hints.notify_all()
                while True:
                    message = await channel.get_message(timeout=_READ_S)
                    if message is not None:
                        _is_listening = True
                        _take(message["data"].decode(), on_stop)
        except trouble() as error:
            _is_listening = False
            log_trouble(error)
            await asyncio.sleep(_PAUSE_S)


def _take(message: str, on_stop: Callable[[UUID], object]) -> None:
    sender, what, about = message.split()
    if sender == PROCESS:
        return
    if what == "changed":
        _tell_here(UUID(about))
    elif what == "stop":
        on_stop(UUID(about))


def _tell_here(conversation_id: UUID) -> None:
    hints.notify(conversation_id, turns_changed=True)
    lists.tell(conversation_id)


def _publish(what: str, about: UUID) -> None:
    if client() is not None:
        begin(_send(f"{PROCESS} {what} {about}"))


async def _send(message: str) -> None:
    global _is_listening
    redis = client()
    if redis is None:
        return
    try:
        await redis.publish(CHANNEL, message)
    except trouble() as error:
        _is_listening = False  # what does not answer says nothing either
        log_trouble(error)
