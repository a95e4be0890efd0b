"""A conversation of ChatGPT's export → a draft.

`mapping` holds the nodes of a tree by their ids, each with `message` (or null), `parent` and
`children`; `current_node` is the end of what was shown. `create_time` is in seconds since 1970. A
message has an `author` with a `role`, and a `content` with a `content_type` and, for text, `parts`.
Hidden nodes, tools and what is said to tools are passed through. ChatGPT answers in several nodes
where we have one reply: a run of nodes of one role becomes one message, thoughts its reasoning. A
run that branches becomes several versions.

Source: the export as described at https://whychose.com/seo/chatgpt-conversations-json-format and
in github.com/mitkury/chatgpt-export-parser (docs/chatgpt-data-export-format.md), November 2026.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from chatapp.errors import InvalidInput
from chatapp.forms import clean_text
from chatapp.models import Conversation, Message, Role
from chatapp.models.conversation import title_from
from chatapp.transfer.draft import Draft, check_size
from chatapp.transfer.markdown import fenced

NAME = "ChatGPT"
MOST_ID_CHARS = 100
_CITATION = re.compile("\ue200[^\ue201]{0,500}\ue201")
_MOST_SHOWN = 2000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Said:
    """What a person can see of one node."""

    role: Role
    text: str = ""
    reasoning: str = ""
    model: str = ""
    finish_reason: str = ""


@dataclass(slots=True)
class _Turn:
    """A run of nodes of one role, as far as a branch has come: `said` by the last of them, after
    `before`; a message as soon as it ends. Branches share their beginnings."""

    said: _Said
    before: "_Turn | None"
    parent: Message | None
    at: datetime
    depth: int
    is_current: bool
    message: Message | None = None

    def run(self) -> list[_Said]:
        run, turn = [], self
        while turn.before is not None:
            run.append(turn.said)
            turn = turn.before
        return [turn.said, *reversed(run)]


class _Tree:
    """The messages made so far, parents first."""

    def __init__(self, current: set[str]) -> None:
        self.current = current
        self.messages: list[Message] = []
        self._chars = 0
        self._now = timezone.now()

    def close(self, turn: _Turn) -> Message:
        """The turn's message, the same for all that follow it."""
        if turn.message is None:
            turn.message = self._message(turn, turn.run())
            self.messages.append(turn.message)
            self._chars += len(turn.message.text) + len(turn.message.reasoning)
            check_size(len(self.messages), self._chars)
        return turn.message

    def _message(self, turn: _Turn, run: list[_Said]) -> Message:
        is_reply = turn.said.role == Role.ASSISTANT
        # Of the versions that led to what was shown last, the longest is chosen.
        chosen_at = self._now + timedelta(microseconds=turn.depth)
        return Message(
            role=turn.said.role,
            parent=turn.parent,
            text="\n\n".join(said.text for said in run if said.text),
            reasoning="\n\n".join(said.reasoning for said in run if said.reasoning),
            endpoint_name=NAME if is_reply else "",
            model=next((said.model for said in reversed(run) if said.model), "")[:200],
            finish_reason=turn.said.finish_reason,
            asked_at=turn.at,
            finished_at=turn.at if is_reply else None,
            chosen_at=chosen_at if turn.is_current else turn.at,
        )


def is_chatgpt(data: Mapping[str, Any]) -> bool:
    return isinstance(data.get("mapping"), dict)


def draft_of(data: Mapping[str, Any]) -> Draft:
    """The conversation. Raises InvalidInput with what is wrong with it."""
    nodes = {i: node for i, node in data["mapping"].items() if isinstance(node, dict)}
    check_size(len(nodes))
    started = _time(data.get("create_time")) or timezone.now()
    tree = _Tree(set(_chain(nodes, _last_node(nodes, data.get("current_node")))))
    for root in _roots(nodes):
        _grow(tree, nodes, root, started)
    if not tree.messages:
        raise InvalidInput(_("It has no messages."))
    conversation = Conversation(
        title=title_from(_str(data.get("title"))) or title_from(tree.messages[0].text),
        is_title_own=True,
        source=_source(data),
        system_prompt="\n\n".join(_instructions(nodes)),
        created_at=started,
        active_at=max(message.asked_at for message in tree.messages),
        archived_at=timezone.now() if data.get("is_archived") is True else None,
    )
    return Draft(conversation, tree.messages)


def _grow(tree: _Tree, nodes: Mapping[str, Any], root: str, started: datetime) -> None:
    """Adds what hangs on `root`. A node that is met a second time, as in a circle, ends there."""
    met: set[str] = set()
    waiting: list[tuple[str, _Turn | None]] = [(root, None)]
    while waiting:
        node_id, turn = waiting.pop()
        if node_id in met:
            continue
        met.add(node_id)
        message = _dict(nodes[node_id].get("message"))
        if (said := _said(message)) is not None:
            at = _time(message.get("create_time")) or (turn.at if turn else started)
            turn = _next(tree, turn, said, at, is_current=node_id in tree.current)
        children = [i for i in _children(nodes[node_id]) if i in nodes and i not in met]
        if turn is not None and not children:
            tree.close(turn)
        waiting += [(child, turn) for child in reversed(children)]


def _next(tree: _Tree, turn: _Turn | None, said: _Said, at: datetime, *, is_current: bool) -> _Turn:
    """The turn with what was said next, which may begin another one."""
    if turn is None:
        return _Turn(said, None, None, at, 0, is_current)
    if turn.said.role == said.role:
        return _Turn(said, turn, turn.parent, turn.at, turn.depth + 1, is_current)
    return _Turn(said, None, tree.close(turn), max(at, turn.at), turn.depth + 1, is_current)


def _said(message: Mapping[str, Any]) -> _Said | None:
    """What a person saw of a message, None if that was nothing."""
    author, content, metadata = (_dict(message.get(k)) for k in ("author", "content", "metadata"))
    role = _str(author.get("role"))
    is_hidden = metadata.get("is_visually_hidden_from_conversation") is True
    if role not in Role.values or is_hidden or message.get("weight") == 0:
        return None
    recipient, kind = _str(message.get("recipient")), _str(content.get("content_type"))
    if recipient.startswith("canmore."):
        document = _document(_str(content.get("text")))
        return _Said(Role.ASSISTANT, document) if document else None
    if recipient not in ("", "all"):
        return None
    if kind == "thoughts":
        thoughts = [_dict(thought) for thought in _list(content.get("thoughts"))]
        pieces = [_str(thought.get(k)) for thought in thoughts for k in ("summary", "content")]
        reasoning = "\n\n".join(filter(None, pieces))
        return _Said(Role.ASSISTANT, reasoning=reasoning) if reasoning else None
    text = _with_citations(_text(kind, content), _list(metadata.get("content_references")))
    if not text.strip():
        return None
    finish = _str(_dict(metadata.get("finish_details")).get("type"))
    return _Said(
        Role(role),
        text,
        model=_str(metadata.get("model_slug")) if role == Role.ASSISTANT else "",
        finish_reason={"stop": "stop", "max_tokens": "length"}.get(finish, ""),
    )


def _document(call: str) -> str:
    """What was written on the canvas: a whole document, or what it was changed to."""
    try:
        told = _dict(json.loads(call))
    except (ValueError, RecursionError):
        return ""
    texts = [_str(told.get("content"))]
    texts += [_str(_dict(update).get("replacement")) for update in _list(told.get("updates"))]
    text = "\n\n".join(filter(str.strip, texts))
    kind, _slash, language = _str(told.get("type")).partition("/")
    return fenced(text, language if language.isalnum() else "") if text and kind == "code" else text


def _with_citations(text: str, references: Sequence[Any]) -> str:
    """What the page showed in the place of its marks; nothing where the export does not say it."""
    shown = {
        _str(reference.get("matched_text")): _str(reference.get("alt"))[:_MOST_SHOWN]
        for reference in map(_dict, references)
    }
    return _CITATION.sub(lambda mark: shown.get(mark[0], ""), text)


def _text(kind: str, content: Mapping[str, Any]) -> str:
    if kind in ("text", "multimodal_text"):
        return "\n\n".join(filter(None, map(_part, _list(content.get("parts")))))
    if kind == "code":
        language = _str(content.get("language"))
        word = language if language.isalnum() and language != "unknown" else ""
        return fenced(_str(content.get("text")), word)
    return ""  # about tools, memory, or how long it thought


def _part(part: Any) -> str:
    """A piece of a message; what is no text is named."""
    if not isinstance(part, dict):
        return _str(part)
    kind = _str(part.get("content_type"))
    if kind == "audio_transcription":
        return _str(part.get("text"))
    if "image" in kind:
        return "*[" + _("An image that the export has apart") + "]*"
    return "*[" + _("An attachment that the export has apart") + "]*"


def _instructions(nodes: Mapping[str, Any]) -> Iterator[str]:
    """What the system was told in sight of the person."""
    for node in nodes.values():
        message = _dict(node.get("message"))
        metadata = _dict(message.get("metadata"))
        is_hidden = metadata.get("is_visually_hidden_from_conversation") is True
        is_system = _dict(message.get("author")).get("role") == "system"
        if is_system and not is_hidden and message.get("weight") != 0:
            content = _dict(message.get("content"))
            if text := _text(_str(content.get("content_type")), content).strip():
                yield text


def _roots(nodes: Mapping[str, Any]) -> list[str]:
    """The nodes that hang on no other, whichever of the two says so."""
    listed = {child for node in nodes.values() for child in _children(node)}
    return [i for i, n in nodes.items() if _str(n.get("parent")) not in nodes and i not in listed]


def _children(node: Mapping[str, Any]) -> Sequence[str]:
    return [child for child in _list(node.get("children")) if isinstance(child, str)]


def _last_node(nodes: Mapping[str, Any], current: Any) -> str | None:
    """The end of what was shown; if the export does not know it, what was said last."""
    if isinstance(current, str) and current in nodes:
        return current
    said = [(i, _time(_dict(node.get("message")).get("create_time"))) for i, node in nodes.items()]
    timed = [(at, i) for i, at in said if at is not None]
    return max(timed)[1] if timed else None


def _chain(nodes: Mapping[str, Any], node_id: str | None) -> Iterator[str]:
    """From a node up to its root, as far as it does not go round in a circle."""
    met: set[str] = set()
    while isinstance(node_id, str) and node_id in nodes and node_id not in met:
        met.add(node_id)
        yield node_id
        node_id = nodes[node_id].get("parent")


def _source(data: Mapping[str, Any]) -> str:
    found = _str(data.get("conversation_id")) or _str(data.get("id"))
    if not found or len(found) > MOST_ID_CHARS or not found.isprintable():
        raise InvalidInput(_("Expected an id in it."))
    return f"chatgpt:{found}"


def _time(value: Any) -> datetime | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 < value < 2**33:
        return None
    return min(_EPOCH + timedelta(seconds=value), timezone.now())


def _str(value: Any) -> str:
    return clean_text(value) if isinstance(value, str) else ""


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
