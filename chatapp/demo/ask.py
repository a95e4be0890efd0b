"""A request's JSON body, of any of the four protocols → what is asked and what came along with it.

Reads generously: chat messages (OpenAI, Anthropic), a prompt (Truss, Cerebrium), or a prompt that
is a transcript with the roles named and the assistant's cue at its end.
"""

import re
from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

_PROMPT_KEYS = ("prompt", "input", "inputs", "question", "query", "text", "message")
_LIMIT_KEYS = ("max_tokens", "max_completion_tokens", "max_new_tokens")
_NOT_PARAMETERS = {"messages", "model", "system", "stream", "stream_options", *_PROMPT_KEYS}
_ROLE = re.compile(
    r"^[#*<|\[ ]*(system|user|human|assistant)[*>|\] ]*: ?", re.IGNORECASE | re.MULTILINE
)
_END_OF_TURN = re.compile(r"\n{1,2}\Z")
_CHARACTERS_PER_TOKEN = 4


class Unreadable(ValueError):
    """The body asks nothing; `str()` says what was expected."""


@dataclass(frozen=True, slots=True)
class Picture:
    """An image as it came: what it was called a kind of, and how much there was of it."""

    media_type: str
    size: int


@dataclass(frozen=True, slots=True)
class Ask:
    """One request. `prompt` and `pictures` are the last turn's; `turns` counts every turn but the
    system's."""

    protocol: str
    prompt: str
    model: str = ""
    system: str = ""
    turns: int = 1
    parameters: Mapping[str, Any] = field(default_factory=dict)
    is_streamed: bool = True
    wants_usage: bool = False
    input_tokens: int = 1
    pictures: tuple[Picture, ...] = ()

    @property
    def max_tokens(self) -> int | None:
        """The longest answer allowed, whatever the protocol calls it."""
        limits = (self.parameters.get(key) for key in _LIMIT_KEYS)
        return next((n for n in limits if isinstance(n, int) and n > 0), None)


def read_ask(protocol: str, body: object, *, streams_unasked: bool) -> Ask:
    """What `body` asks. Raises `Unreadable` if it holds no prompt."""
    if not isinstance(body, dict):
        raise Unreadable("Expected a JSON object.")
    turns = _turns(body)
    system = [_text(body.get("system"))] + [text for role, text in turns if role == "system"]
    said = [(role, text) for role, text in turns if role != "system"]
    if not said:
        raise Unreadable("Expected `messages` or a `prompt`.")
    return Ask(
        protocol=protocol,
        prompt=said[-1][1],
        model=_text(body.get("model")),
        system="\n\n".join(filter(None, system)),
        turns=len(said),
        parameters={key: value for key, value in body.items() if key not in _NOT_PARAMETERS},
        is_streamed=bool(body.get("stream", streams_unasked)),
        wants_usage=_wants_usage(body.get("stream_options")),
        pictures=tuple(_last_pictures(body)),
        input_tokens=1 + sum(len(text) for _, text in turns) // _CHARACTERS_PER_TOKEN,
    )


def _turns(body: dict[str, Any]) -> list[tuple[str, str]]:
    messages = body.get("messages")
    if isinstance(messages, list):
        return [
            (_text(message.get("role")), _text(message.get("content")))
            for message in messages
            if isinstance(message, dict)
        ]
    prompt = next((body[key] for key in _PROMPT_KEYS if key in body), None)
    return [] if prompt is None else _transcript(_text(prompt))


def _transcript(prompt: str) -> list[tuple[str, str]]:
    """The turns of a prompt that ends with the assistant's cue, else the prompt as one turn."""
    _, *parts = _ROLE.split(prompt)
    turns = list(zip(parts[::2], parts[1::2], strict=True))
    if len(turns) < 2 or turns[-1][0].lower() != "assistant" or turns[-1][1].strip():
        return [("user", prompt)]
    return [(role.lower(), _END_OF_TURN.sub("", text)) for role, text in turns[:-1]]


def _text(content: object) -> str:
    """Content as the protocols have it: a string, or a list of parts with `text`."""
    if isinstance(content, list):
        return "".join(_text(part.get("text")) for part in content if isinstance(part, dict))
    return _well_formed(content) if isinstance(content, str) else ""


def _last_pictures(body: Mapping[str, Any]) -> Iterator[Picture]:
    """Those of the last message, in OpenAI's form and in Anthropic's."""
    messages = body.get("messages")
    last = messages[-1] if isinstance(messages, list) and messages else None
    content = last.get("content") if isinstance(last, dict) else None
    for part in content if isinstance(content, list) else []:
        if isinstance(part, dict) and part.get("type") == "image_url":
            head, _, data = _text(_inner(part, "image_url").get("url")).partition(";base64,")
            yield Picture(head.removeprefix("data:"), _bytes_in(data))
        elif isinstance(part, dict) and part.get("type") == "image":
            source = _inner(part, "source")
            yield Picture(_text(source.get("media_type")), _bytes_in(_text(source.get("data"))))


def _inner(part: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = part.get(name)
    return found if isinstance(found, dict) else {}


def _bytes_in(data: str) -> int:
    """How many bytes Base64 stands for; none if it is not Base64."""
    try:
        return len(b64decode(data, validate=True))
    except ValueError:
        return 0


def _well_formed(text: str) -> str:
    """JSON may bring lone surrogates, which no encoding takes: join pairs, replace the rest."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _wants_usage(options: object) -> bool:
    return isinstance(options, dict) and bool(options.get("include_usage"))
