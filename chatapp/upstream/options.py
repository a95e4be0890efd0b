"""An endpoint's options in → checked, with a sentence for people that says what was expected.

`OPTIONS` is all there is, by protocol.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from chatapp.errors import InvalidInput
from chatapp.locales import counted
from chatapp.upstream.parameters import EFFORT, RANGES

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
    "reasoning_effort",
)

# Calls to the others may be expensive, or not take a chat at all.
_CHAT_PROTOCOLS = ("openai", "anthropic")

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_HEADER_VALUE = re.compile(r"[\x20-\x7e\t]*")
_LONE_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Option:
    """One option: what it means, what it expects (both for people) and the test of a value.

    Whoever shows the meaning translates it.
    """

    meaning: str
    expects: Callable[[], str]
    accepts: Callable[[object], bool]


def check_options(protocol: str, options: Mapping[str, Any]) -> None:
    """Raises `InvalidInput` with what was expected, for the first option that cannot be taken."""
    if protocol not in OPTIONS:
        names = ", ".join(OPTIONS)
        raise InvalidInput(
            _('The protocol has to be one of %(names)s, not "%(protocol)s".')
            % {"names": names, "protocol": protocol}
        )
    if not isinstance(options, Mapping):
        raise InvalidInput(_('The options have to be a JSON object, such as {"max_tokens": 4096}.'))
    if not _is_storable(options):
        raise InvalidInput(
            _(
                "The options cannot hold numbers like NaN, the character U+0000 or half a "
                "surrogate pair."
            )
        )
    known = OPTIONS[protocol]
    for name, value in options.items():
        if name not in known:
            names = ", ".join(known)
            raise InvalidInput(
                _('The protocol %(protocol)s has no option "%(name)s"; it has %(names)s.')
                % {"protocol": protocol, "name": name, "names": names}
            )
        if not known[name].accepts(value):
            raise InvalidInput(
                _('The option "%(name)s" has to be %(expected)s.')
                % {"name": name, "expected": known[name].expects()}
            )
    if options.get("images") and not takes_images(protocol, options):
        raise InvalidInput(
            _('The option "images" needs a "body" that has "{messages}" as a value.')
        )


def takes_images(protocol: str, options: Mapping[str, Any]) -> bool:
    """Whether images can be sent: the endpoint says so, and its body has a place for them."""
    if options.get("images") is not True:
        return False
    return protocol not in _TEMPLATED or "messages" in _lone_names(options.get("body", {}))


def asks_titles(protocol: str, options: Mapping[str, Any]) -> bool:
    """Whether the endpoint is asked for the titles of conversations that it began."""
    return bool(options.get("titles", protocol in _CHAT_PROTOCOLS))


def _is_storable(options: Mapping[str, Any]) -> bool:
    try:
        text = json.dumps(options, allow_nan=False, ensure_ascii=False)
        text.encode()
    except ValueError:
        return False
    return "\\u0000" not in text


def _choice(meaning: str, *names: str) -> Option:
    return Option(meaning, lambda: _("one of %s") % ", ".join(names), lambda value: value in names)


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


def _is_switch(value: object) -> bool:
    return isinstance(value, bool)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _are_limits(value: object) -> bool:
    return isinstance(value, dict) and all(
        name in RANGES and _is_range(name, limits) for name, limits in value.items()
    )


def _is_range(name: str, limits: object) -> bool:
    if not isinstance(limits, list) or len(limits) != 2:
        return False
    kinds = int if name == "max_tokens" else int | float
    if any(isinstance(limit, bool) or not isinstance(limit, kinds) for limit in limits):
        return False
    lowest, highest = RANGES[name]
    return bool(lowest <= limits[0] <= limits[1] <= highest)


def _are_efforts(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(effort, str) and EFFORT.fullmatch(effort) for effort in value
    )


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


def _ranges() -> str:
    words = _("%(name)s (%(lowest)s to %(highest)s)")
    return ", ".join(
        words % {"name": name, "lowest": counted(lowest), "highest": counted(highest)}
        for name, (lowest, highest) in RANGES.items()
    )


_HEADERS = Option(
    gettext_noop("further HTTP headers of the request"),
    lambda: (
        _("an object of header names and values, without %s") % ", ".join(sorted(GOVERNED_HEADERS))
    ),
    _is_header_set,
)
_MAX_TOKENS = Option(
    gettext_noop("the longest answer to ask for, where the prompt does not say"),
    lambda: _("a whole number of at least 1"),
    _is_count,
)
_IMAGES = Option(
    gettext_noop("whether the model takes images; they are refused or left out otherwise"),
    lambda: _("true or false"),
    _is_switch,
)
_TITLES = Option(
    gettext_noop("whether the endpoint is asked for a title after a conversation's first reply"),
    lambda: _("true or false"),
    _is_switch,
)
_BODY = Option(
    gettext_noop("the request's JSON, with placeholders for what is asked"),
    lambda: (
        _("a JSON object; its placeholders are %s")
        % ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
    ),
    _is_template,
)

# Their requests are what the body option says.
_TEMPLATED = frozenset({"truss", "cerebrium"})
_LIMITS = Option(
    gettext_noop(
        "the lowest and highest that a conversation may set; what lies beyond is brought there"
    ),
    lambda: (
        _('an object such as {"temperature": [0, 1]}, with the lowest and highest of %s')
        % _ranges()
    ),
    _are_limits,
)
_EFFORTS = Option(
    gettext_noop("the reasoning efforts that the model knows"),
    lambda: _('a list of words of at most 20 letters, such as ["low", "medium", "high"]'),
    _are_efforts,
)
_SETTINGS = {"limits": _LIMITS, "max_tokens": _MAX_TOKENS, "reasoning_efforts": _EFFORTS}

OPTIONS: dict[str, dict[str, Option]] = {
    "openai": {
        "auth": _choice(
            gettext_noop("how the key is sent"), "bearer", "api-key", "x-api-key", "none"
        ),
        "headers": _HEADERS,
        "images": _IMAGES,
        **_SETTINGS,
        "max_tokens_field": _choice(
            gettext_noop("the name under which max_tokens is sent"),
            "max_tokens",
            "max_completion_tokens",
        ),
        "stream_options": Option(
            gettext_noop("whether to ask for the usage; a few older servers refuse that"),
            lambda: _("true or false"),
            _is_switch,
        ),
        "titles": _TITLES,
    },
    "anthropic": {
        "anthropic_version": Option(
            gettext_noop("the anthropic-version header"),
            lambda: _("a line of plain text"),
            _is_header_value,
        ),
        "auth": _choice(gettext_noop("how the key is sent"), "x-api-key", "bearer", "none"),
        "headers": _HEADERS,
        "images": _IMAGES,
        **_SETTINGS,
        "titles": _TITLES,
    },
    "truss": {
        "auth": _choice(
            gettext_noop("the scheme of the Authorization header"), "api-key", "bearer", "none"
        ),
        "body": _BODY,
        "framing": _choice(
            gettext_noop("whether the model yields text or an event stream"), "text", "sse"
        ),
        "headers": _HEADERS,
        "images": _IMAGES,
        **_SETTINGS,
        "titles": _TITLES,
    },
    "cerebrium": {
        "auth": _choice(gettext_noop("how the key is sent"), "bearer", "none"),
        "body": _BODY,
        "headers": _HEADERS,
        "images": _IMAGES,
        **_SETTINGS,
        "titles": _TITLES,
    },
}
