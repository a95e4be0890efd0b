"""An endpoint's options in → checked, with a sentence for people that says what was expected.

`OPTIONS` is all there is, by protocol.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from chatapp.errors import InvalidInput

# The request itself sets these: a second value would change who is asked, or how it is read.
GOVERNED_HEADERS = frozenset(
    {
        "accept",
        "accept-encoding",
        "api-key",
        "authorization",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "cookie",
        "expect",
        "host",
        "te",
        "transfer-encoding",
        "upgrade",
        "x-api-key",
    }
)

PLACEHOLDERS = (
    "prompt",
    "system",
    "messages",
    "model",
    "max_tokens",
    "temperature",
    "top_p",
    "stop",
)

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_HEADER_VALUE = re.compile(r"[\x20-\x7e\t]*")
_LONE_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Option:
    """One option: what it means, what it expects (both for people) and the test of a value."""

    meaning: str
    expects: str
    accepts: Callable[[object], bool]


def check_options(protocol: str, options: Mapping[str, Any]) -> None:
    """Raises `InvalidInput` with what was expected, for the first option that cannot be taken."""
    if protocol not in OPTIONS:
        names = ", ".join(OPTIONS)
        raise InvalidInput(f'The protocol has to be one of {names}, not "{protocol}".')
    if not isinstance(options, Mapping):
        raise InvalidInput('The options have to be a JSON object, such as {"max_tokens": 4096}.')
    if "\\u0000" in json.dumps(options):
        raise InvalidInput("The options cannot hold the character U+0000.")
    known = OPTIONS[protocol]
    for name, value in options.items():
        if name not in known:
            names = ", ".join(known)
            raise InvalidInput(f'The protocol {protocol} has no option "{name}"; it has {names}.')
        if not known[name].accepts(value):
            raise InvalidInput(f'The option "{name}" has to be {known[name].expects}.')


def _choice(meaning: str, *names: str) -> Option:
    return Option(meaning, "one of " + ", ".join(names), lambda value: value in names)


def _is_header_value(value: object) -> bool:
    return isinstance(value, str) and _HEADER_VALUE.fullmatch(value) is not None


def _is_header_set(value: object) -> bool:
    return isinstance(value, dict) and all(
        isinstance(name, str)
        and _HEADER_NAME.fullmatch(name)
        and name.lower() not in GOVERNED_HEADERS
        and _is_header_value(text)
        for name, text in value.items()
    )


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _is_template(value: object) -> bool:
    return isinstance(value, dict) and all(name in PLACEHOLDERS for name in _lone_names(value))


def _lone_names(value: object) -> list[str]:
    """The placeholders that stand alone in a string; braces within a text may be anything."""
    if isinstance(value, str):
        match = _LONE_PLACEHOLDER.fullmatch(value)
        return [match[1]] if match else []
    children = list(value.values()) if isinstance(value, dict) else value
    if isinstance(children, list):
        return [name for child in children for name in _lone_names(child)]
    return []


_HEADERS = Option(
    "further HTTP headers of the request",
    "an object of header names and values, without " + ", ".join(sorted(GOVERNED_HEADERS)),
    _is_header_set,
)
_MAX_TOKENS = Option(
    "the longest answer to ask for, where the prompt does not say",
    "a whole number of at least 1",
    _is_count,
)
_BODY = Option(
    "the request's JSON, with placeholders for what is asked",
    "a JSON object; its placeholders are " + ", ".join(f"{{{name}}}" for name in PLACEHOLDERS),
    _is_template,
)

OPTIONS: dict[str, dict[str, Option]] = {
    "openai": {
        "auth": _choice("how the key is sent", "bearer", "api-key", "x-api-key", "none"),
        "headers": _HEADERS,
        "max_tokens": _MAX_TOKENS,
        "max_tokens_field": _choice(
            "the name under which max_tokens is sent", "max_tokens", "max_completion_tokens"
        ),
        "stream_options": Option(
            "whether to ask for the usage; a few older servers refuse that",
            "true or false",
            lambda value: isinstance(value, bool),
        ),
    },
    "anthropic": {
        "anthropic_version": Option(
            "the anthropic-version header", "a line of plain text", _is_header_value
        ),
        "auth": _choice("how the key is sent", "x-api-key", "bearer", "none"),
        "headers": _HEADERS,
        "max_tokens": _MAX_TOKENS,
    },
    "truss": {
        "auth": _choice("the scheme of the Authorization header", "api-key", "bearer", "none"),
        "body": _BODY,
        "framing": _choice("whether the model yields text or an event stream", "text", "sse"),
        "headers": _HEADERS,
        "max_tokens": _MAX_TOKENS,
    },
    "cerebrium": {
        "auth": _choice("how the key is sent", "bearer", "none"),
        "body": _BODY,
        "headers": _HEADERS,
        "max_tokens": _MAX_TOKENS,
    },
}
