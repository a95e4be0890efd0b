"""What functions without a fixed answer format send, in → its text, where it is recognised.

Truss models and Cerebrium functions answer with whatever their author chose: text, an OpenAI
chunk, or an object with the text under one of a few usual names.
"""

import json
from typing import Any

from chatapp.upstream.answer import Answer
from chatapp.upstream.openai import DONE, read_chunk
from chatapp.upstream.problems import error_in
from chatapp.upstream.sse import ServerSentEvent

_TEXT_KEYS = (
    "token",
    "text",
    "content",
    "output",
    "generated_text",
    "completion",
    "response",
    "result",
)
_ERROR_COMPANIONS = frozenset(
    {"error", "error_type", "type", "code", "status_code", "request_id", "run_id", "run_time_ms"}
)
_MAX_NESTING = 4


class LooseReader:
    """The proper end of the body is the end of the answer; `[DONE]`, if it comes, too."""

    end_is_marker = True

    def read_event(self, answer: Answer, event: ServerSentEvent) -> None:
        """Plain text, unless it is an object we know: `123`, `true` and `{` are ordinary tokens."""
        data = event.data
        if data == DONE:
            answer.complete()
        elif event.name == "error":
            answer.fail_with(data)
        elif not self._read_object(answer, _object_in(data)):
            answer.say(data)

    def read_value(self, answer: Answer, value: object) -> None:
        """A value that was returned instead of yielded; shown as JSON if we do not know it."""
        if isinstance(value, dict) and "run_id" in value and "result" in value:
            # Cerebrium's envelope.
            value = value["result"]
        if isinstance(value, dict) and self._read_object(answer, value):
            return
        text = _text_in(value)
        if text is None and error_in(value) is not None:
            answer.fail_with(value)
        else:
            answer.say(text or json.dumps(value, ensure_ascii=False, indent=2))

    def _read_object(self, answer: Answer, value: dict[str, Any]) -> bool:
        """Whether `value` is an object of a kind that we know."""
        is_error = value.get("error") is not None
        if isinstance(value.get("choices"), list):
            read_chunk(answer, value)
        elif (text := _text_in(value)) is not None:
            answer.say(text)
        elif not (is_error and value.keys() <= _ERROR_COMPANIONS):
            return False
        if is_error:
            answer.fail_with(value)
        return True


def _object_in(data: str) -> dict[str, Any]:
    """The JSON object that `data` is, an empty one if it is none."""
    try:
        value = json.loads(data) if data.startswith("{") else None
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _text_in(value: object, depth: int = _MAX_NESTING) -> str | None:
    """The text under the first usual name; None if there is no such name."""
    if isinstance(value, str):
        return value
    if depth == 0:
        return None
    if isinstance(value, list):
        texts = [_text_in(item, depth - 1) for item in value]
        return "".join(filter(None, texts)) if None not in texts else None
    if not isinstance(value, dict):
        return None
    found = (_text_in(value[key], depth - 1) for key in _TEXT_KEYS if key in value)
    return next((text for text in found if text is not None), None)
