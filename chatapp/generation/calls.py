"""Rows in → the upstream call that a reply needs: its target and its prompt."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx2
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from chatapp.errors import InvalidInput, UpstreamError
from chatapp.events import Usage
from chatapp.generation.files import turns_of
from chatapp.limits.counters import Reservation, reservation
from chatapp.limits.estimates import most_written, tokens_of
from chatapp.models import Conversation, Endpoint, Message
from chatapp.upstream.addresses import check_url
from chatapp.upstream.contract import Prompt, Request, Target, Turn
from chatapp.upstream.options import check_options, takes_images
from chatapp.upstream.parameters import limits_of, sendable
from chatapp.upstream.protocols import ADAPTERS

# What an endpoint is tried with.
SHORT = Prompt((Turn("user", "Say hello in one short sentence."),))


@dataclass(frozen=True, slots=True)
class Call:
    """What a generation needs to know of the database, taken once before it starts, and the
    language of whoever asks: in it their reply says what went wrong.

    `reservation` is what its person's limits have set aside for it. Of a reply that is continued,
    `before` is the text that each part has already, `spent` what its row says of tokens, and `run`
    how often it was.
    """

    conversation_id: UUID
    reply_id: UUID
    target: Target
    prompt: Prompt
    reservation: Reservation
    before: Mapping[str, str] = field(default_factory=dict)
    spent: Usage = field(default_factory=lambda: Usage(None, None))
    run: int = 0
    language: str | None = field(default_factory=get_language)


def target_for(endpoint: Endpoint | None) -> Target:
    """The endpoint as the upstream layer wants it, for the person whom it was looked up for.

    Raises InvalidInput, with the sentence for the person, if it is gone, disabled, not theirs or
    has no key.
    """
    if endpoint is not None and endpoint.enabled and not endpoint.is_granted:
        raise InvalidInput(
            _("The endpoint “%s” is not open to you any more. Choose another one.") % endpoint.name
        )
    return target_of(endpoint)


def target_of(endpoint: Endpoint | None) -> Target:
    """The endpoint as the upstream layer wants it, for the operator, to whom all are open.

    Raises InvalidInput, with the sentence for people, if it is gone, disabled or has no key.
    """
    if endpoint is None:
        raise InvalidInput(_("Choose an endpoint first: the one used before no longer exists."))
    if not endpoint.enabled:
        raise InvalidInput(_("The endpoint “%s” is disabled. Choose another one.") % endpoint.name)
    return _target(endpoint, endpoint.api_key())


def target_to_try(endpoint: Endpoint) -> Target:
    """The endpoint, enabled or not, for whoever describes it. Raises InvalidInput if its key is
    not set."""
    return _target(endpoint, endpoint.api_key())


def check_endpoint(endpoint: Endpoint) -> None:
    """Raises InvalidInput unless a request can be built for the endpoint as it is described."""
    check_url(httpx2.URL(request_for(endpoint).url))


def request_for(endpoint: Endpoint) -> Request:
    """The request that tries the endpoint out, with its key's variable in place of the key.

    Raises InvalidInput if there can be none, with what the options should be.
    """
    check_options(endpoint.protocol, endpoint.options)
    variable = f"${endpoint.api_key_env}" if endpoint.api_key_env else ""
    try:
        return ADAPTERS[endpoint.protocol].request(SHORT, _target(endpoint, variable))
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


def reservation_for(person_id: int, prompt: Prompt, target: Target) -> Reservation:
    """What the call may take, by what is really sent of the prompt."""
    sent = sendable(ADAPTERS[target.protocol], prompt.parameters, target)
    return reservation(person_id, tokens_of(prompt), most_written(sent.get("max_tokens"), target))


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
