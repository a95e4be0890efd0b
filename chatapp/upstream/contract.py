"""The one contract of every protocol: a prompt and a target in → a request; bytes in → events out.

Everything here is pure; `http.py` alone does I/O. Source of the wire formats: the vendors'
documentation named in each protocol's module.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from chatapp.errors import Problem
from chatapp.events import Event

# What a prompt's parameters may hold; `stop` is a list of strings.
PARAMETERS = frozenset({"temperature", "top_p", "max_tokens", "stop", "reasoning_effort"})


@dataclass(frozen=True, slots=True)
class Target:
    """An endpoint as a call needs it. `url` is as the administrator gave it; times in seconds.
    `name` is for those who count calls."""

    protocol: str
    url: str
    model: str = ""
    api_key: str = field(default="", repr=False)
    options: Mapping[str, Any] = field(default_factory=dict)
    connect_timeout_s: float = 10.0
    first_byte_timeout_s: float = 300.0
    silence_timeout_s: float = 60.0
    total_timeout_s: float = 900.0
    name: str = ""


@dataclass(frozen=True, slots=True)
class Image:
    """A picture that goes along with a turn, as its file has it."""

    media_type: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of the conversation so far; images only where the target takes them."""

    role: Literal["user", "assistant"]
    text: str
    images: tuple[Image, ...] = ()


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is asked: the system prompt, the turns (the last one is the user's) and parameters.

    `parameters` are wishes: a request carries those that its target takes, as far as it does.
    """

    turns: tuple[Turn, ...]
    system: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request, ready to send. Header names are lower-case."""

    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    method: str = "POST"


class Decoder(Protocol):
    """Turns the body of a 200 into events. Bytes may be cut anywhere."""

    def feed(self, data: bytes) -> list[Event]:
        """The events that `data` completes, in order; nothing after a closing event."""
        ...

    def close(self, problem: Problem | None = None) -> list[Event]:
        """The rest, ending with exactly one closing event unless `feed` gave one already.

        `problem` says what broke the body; None means that it ended properly.
        """
        ...


class Adapter(Protocol):
    """One protocol."""

    def request(self, prompt: Prompt, target: Target) -> Request:
        """The request for `prompt`. Raises `UpstreamError` if the target cannot be asked at all."""
        ...

    def decoder(self, target: Target, content_type: str) -> Decoder:
        """A fresh decoder for one body; `content_type` is the header's value, "" without one."""
        ...

    def carries(self, target: Target) -> Set[str]:
        """Those of PARAMETERS that a request to the target has a place for."""
        return PARAMETERS

    def concede(self, target: Target, problem: Problem) -> Target | None:
        """The target with the option that a 400 or 422 asks for, to be tried once, or None."""
        return None
