"""A prompt and a target in → the parts that requests of all protocols are made of.

The rules: neighbouring turns of one role are joined, as strict chat templates demand alternation;
turns without text are left out, as several servers refuse them; a key goes into one header only.
"""

import json
import re
from base64 import b64encode
from collections.abc import Callable, Mapping, Set
from typing import Any
from urllib.parse import SplitResult, urlsplit, urlunsplit

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from chatapp.errors import Kind, Problem, UpstreamError
from chatapp.upstream.addresses import ascii_host, bracketed
from chatapp.upstream.contract import PARAMETERS, Image, Prompt, Request, Target, Turn

# Where a key goes: the name of an `auth` option → header and what stands before the key.
AuthSchemes = Mapping[str, tuple[str, str]]

BEARER = ("authorization", "Bearer ")

_USER_AGENT = "chatapp"
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_NO_URL = _lazy("The endpoint's URL is not a valid URL.")


def json_request(
    target: Target, url: str, headers: Mapping[str, str], body: Mapping[str, Any]
) -> Request:
    """A POST of `body`; `target.options["headers"]` are added, never in place of `headers`."""
    extra = {name.lower(): value for name, value in target.options.get("headers", {}).items()}
    common = {
        "user-agent": _USER_AGENT,
        "content-type": "application/json",
        # A server that compresses may hold tokens back in order to do so.
        "accept-encoding": "identity",
    }
    # Lone surrogates cannot be encoded; a question mark is better than no answer at all.
    content = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
    return Request(url, {**common, **extra, **headers}, content)


def endpoint_url(target: Target) -> SplitResult:
    """The target's URL in parts, its host in ASCII as it is connected to.

    Raises `UpstreamError` unless it is a plain http(s) URL, one that no two parsers read
    differently.
    """
    url = target.url.strip()
    if any(not char.isprintable() or char in " \\" for char in url):
        raise _bad_url(
            _("The endpoint's URL must not hold spaces, backslashes or hidden characters.")
        )
    if not url.lower().startswith(("https://", "http://")):
        raise _bad_url(_("The endpoint's URL has to begin with https:// or http://."))
    try:
        parts = urlsplit(url)
        host, port = ascii_host(parts.hostname or ""), parts.port
    except ValueError:
        raise _bad_url(_NO_URL) from None
    if port == 0:
        raise _bad_url(_NO_URL)
    if "@" in parts.netloc:
        raise _bad_url(_("The endpoint's URL must not hold a user name or password; use a key."))
    if "#" in url:
        raise _bad_url(_("The endpoint's URL must not have a part behind #."))
    return parts._replace(netloc=bracketed(host) + (f":{port}" if port else ""))


def joined_url(target: Target, suffix: str, *, shared: str = "") -> str:
    """The target's URL with `suffix` behind its path; full URLs and bases are both taken.

    `shared` is how the suffix may begin already at the end of a base, such as `/v1`.
    """
    parts = endpoint_url(target)
    path = parts.path.rstrip("/")
    if not path.endswith(suffix):
        path = (path.removesuffix(shared) if shared else path) + suffix
    return urlunsplit(parts._replace(path=path))


def auth_headers(target: Target, schemes: AuthSchemes, default: str) -> dict[str, str]:
    """The header that carries the key; none without a key or with `auth` "none"."""
    scheme = target.options.get("auth", default)
    key = target.api_key.strip()
    if not key or scheme == "none":
        return {}
    if not (key.isascii() and key.isprintable()):
        message = _("The endpoint's key holds characters that no key can have.")
        raise UpstreamError(Problem(Kind.AUTH, message))
    name, prefix = schemes[scheme]
    return {name: prefix + key}


def is_host_of(target: Target, domain: str) -> bool:
    """Whether the target's host is `domain` or lies under it."""
    host = endpoint_url(target).hostname or ""
    return host == domain or host.endswith("." + domain)


def spoken_turns(prompt: Prompt) -> list[Turn]:
    """The turns with text or images, neighbours of one role joined by an empty line."""
    spoken: list[Turn] = []
    for turn in prompt.turns:
        if not turn.text.strip() and not turn.images:
            continue
        if spoken and spoken[-1].role == turn.role:
            before = spoken.pop()
            text = "\n\n".join(filter(None, (before.text, turn.text)))
            turn = Turn(turn.role, text, before.images + turn.images)
        spoken.append(turn)
    return spoken


def chat_messages(
    prompt: Prompt,
    *,
    with_system: bool = True,
    image_part: Callable[[Image], dict[str, Any]] | None = None,
) -> list[dict[str, Any]]:
    """The conversation as messages of role and content, the system prompt first.

    The content of a turn with images is a list of parts, the text last; `image_part` makes those
    of images, by default as OpenAI has them.
    """
    part = image_part or _image_url
    system = [{"role": "system", "content": prompt.system}] if prompt.system.strip() else []
    turns = [{"role": turn.role, "content": _content(turn, part)} for turn in spoken_turns(prompt)]
    return (system if with_system else []) + turns


def base64_of(image: Image) -> str:
    return b64encode(image.data).decode("ascii")


def transcript(prompt: Prompt, *, with_system: bool = True) -> str:
    """The conversation as one text, for models that take no messages.

    One user turn goes as it is; more is told with the roles named, ending with the cue.
    """
    turns = spoken_turns(prompt)
    system = prompt.system.strip() if with_system else ""
    if len(turns) == 1 and not system:
        return turns[0].text
    said = [f"System: {system}"] if system else []
    said += [f"{turn.role.capitalize()}: {turn.text}" for turn in turns]
    return "\n\n".join([*said, "Assistant:"])


def max_tokens(prompt: Prompt, target: Target, default: int | None = None) -> int | None:
    """What the prompt asks for, else the endpoint's option, else `default`."""
    found: int | None = prompt.parameters.get("max_tokens") or target.options.get("max_tokens")
    return found or default


def chosen(prompt: Prompt, *names: str) -> dict[str, Any]:
    """Those of the prompt's parameters `names` that are set."""
    parameters = prompt.parameters
    return {name: parameters[name] for name in names if parameters.get(name) is not None}


def parameters_in(template: Mapping[str, Any]) -> Set[str]:
    """The parameters that `template` has placeholders for."""
    return PARAMETERS & set(_placeholders(template))


def filled_body(
    template: Mapping[str, Any], prompt: Prompt, target: Target, tokens: int | None
) -> dict[str, Any]:
    """`template` with its placeholders replaced.

    A string that is one placeholder becomes the value itself, with its type; within a longer
    string the value is put in as text. A key whose placeholder has no value is left out. What is
    put in is not looked at again, so a prompt may hold braces.
    """
    has_system = "system" in _placeholders(template)
    values = {
        "prompt": transcript(prompt, with_system=not has_system),
        "messages": chat_messages(prompt, with_system=not has_system),
        "system": prompt.system or None,
        "model": target.model or None,
        "max_tokens": tokens,
        **{name: prompt.parameters.get(name) for name in PARAMETERS - {"max_tokens"}},
    }
    return {
        key: filled
        for key, value in template.items()
        if (filled := _fill(value, values)) is not None
    }


def _content(
    turn: Turn, image_part: Callable[[Image], dict[str, Any]]
) -> str | list[dict[str, Any]]:
    if not turn.images:
        return turn.text
    text = [{"type": "text", "text": turn.text}] if turn.text.strip() else []
    return [*map(image_part, turn.images), *text]


def _image_url(image: Image) -> dict[str, Any]:
    """https://platform.openai.com/docs/guides/images-vision (2026-10)."""
    url = f"data:{image.media_type};base64,{base64_of(image)}"
    return {"type": "image_url", "image_url": {"url": url}}


def _placeholders(template: Mapping[str, Any]) -> list[str]:
    return _PLACEHOLDER.findall(json.dumps(template))


def _fill(value: object, values: Mapping[str, Any]) -> object:
    if isinstance(value, dict):
        filled = {key: _fill(child, values) for key, child in value.items()}
        return {key: child for key, child in filled.items() if child is not None}
    if isinstance(value, list):
        return [child for item in value if (child := _fill(item, values)) is not None]
    return _fill_text(value, values) if isinstance(value, str) else value


def _fill_text(text: str, values: Mapping[str, Any]) -> object:
    if (match := _PLACEHOLDER.fullmatch(text)) and match[1] in values:
        return values[match[1]]

    def put_in(match: re.Match[str]) -> str:
        if match[1] not in values:
            return match[0]
        value = values[match[1]]
        return value if isinstance(value, str) else "" if value is None else json.dumps(value)

    return _PLACEHOLDER.sub(put_in, text)


def _bad_url(sentence: Any) -> UpstreamError:
    return UpstreamError(Problem(Kind.NOT_FOUND, str(sentence)))
