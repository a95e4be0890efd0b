"""Rows in → the upstream call that a reply needs: its target and its prompt."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from chatapp.errors import InvalidInput, UpstreamError
from chatapp.generation.files import turns_of
from chatapp.models import Conversation, Endpoint, Message
from chatapp.upstream.contract import Prompt, Target, Turn
from chatapp.upstream.options import check_options, takes_images
from chatapp.upstream.parameters import limits_of, sendable
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


def parameters_for(conversation: Conversation, target: Target) -> dict[str, Any]:
    """What is really sent of the conversation's parameters."""
    return sendable(ADAPTERS[target.protocol], conversation.parameters, target)


def carried_by(endpoint: Endpoint) -> Set[str]:
    """The parameters that requests to the endpoint have a place for."""
    return ADAPTERS[endpoint.protocol].carries(_target(endpoint, ""))


def limits_for(endpoint: Endpoint) -> dict[str, tuple[float, float]]:
    """The lowest and highest that requests to the endpoint carry."""
    return limits_of(_target(endpoint, ""))


def prompt_for(
    conversation: Conversation, path: Sequence[Message], target: Target, wish: str = ""
) -> Prompt:
    """What is asked of `target`: the messages of `path` with their files, and `wish` after them."""
    turns = turns_of(path, with_images=takes_images(target.protocol, target.options))
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
        name=endpoint.name,
    )
