"""Rows in → the upstream call that a reply needs: its target and its prompt."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from chatapp.errors import InvalidInput, UpstreamError
from chatapp.models import Conversation, Endpoint, Message, Role
from chatapp.upstream.contract import Prompt, Target, Turn
from chatapp.upstream.options import check_options
from chatapp.upstream.protocols import ADAPTERS


@dataclass(frozen=True, slots=True)
class Call:
    """What a generation needs to know of the database, taken once before it starts.

    `before` is the text that each part has already, of a reply that is continued.
    """

    conversation_id: UUID
    reply_id: UUID
    target: Target
    prompt: Prompt
    before: Mapping[str, str] = field(default_factory=dict)


def target_for(endpoint: Endpoint | None) -> Target:
    """The endpoint as the upstream layer wants it.

    Raises InvalidInput, with the sentence for the person, if it is gone, disabled or has no key.
    """
    if endpoint is None:
        raise InvalidInput("Choose an endpoint first: the one used before no longer exists.")
    if not endpoint.enabled:
        raise InvalidInput(f"The endpoint “{endpoint.name}” is disabled. Choose another one.")
    return _target(endpoint, endpoint.api_key())


def check_endpoint(endpoint: Endpoint) -> None:
    """Raises InvalidInput unless a request can be built for the endpoint as it is described."""
    check_options(endpoint.protocol, endpoint.options)
    try:
        ADAPTERS[endpoint.protocol].request(Prompt((Turn("user", "Hi"),)), _target(endpoint, ""))
    except UpstreamError as error:
        raise InvalidInput(str(error)) from None


def prompt_for(conversation: Conversation, path: Iterable[Message], wish: str = "") -> Prompt:
    """What is asked: the messages of `path` that have text, and `wish` after them."""
    turns = tuple(
        Turn("user" if message.role == Role.USER else "assistant", message.text)
        for message in path
        if message.text
    )
    if wish:
        turns += (Turn("user", wish),)
    return Prompt(
        turns=turns, system=conversation.system_prompt, parameters=conversation.parameters
    )


def _target(endpoint: Endpoint, api_key: str) -> Target:
    return Target(
        protocol=endpoint.protocol,
        url=endpoint.url,
        model=endpoint.model,
        api_key=api_key,
        options=endpoint.options,
        connect_timeout_s=endpoint.connect_timeout_s,
        first_byte_timeout_s=endpoint.first_byte_timeout_s,
        silence_timeout_s=endpoint.silence_timeout_s,
        total_timeout_s=endpoint.total_timeout_s,
    )
