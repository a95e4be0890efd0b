"""A script → OpenAI's chat completions: chunks as `data` events, then `[DONE]`.

Source: https://platform.openai.com/docs/api-reference/chat-streaming; reasoning as DeepSeek has it,
in `reasoning_content`: https://api-docs.deepseek.com/guides/reasoning_model.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from chatapp.demo.ask import Ask
from chatapp.demo.script import Channel, Finish, Piece
from chatapp.demo.wire import Wire, compact, event, text_of

_ID = "chatcmpl-demo"
_KEYS = {
    Channel.TEXT: "content",
    Channel.REASONING: "reasoning_content",
    Channel.REFUSAL: "refusal",
}
_FINISH = {
    Finish.STOP: "stop",
    Finish.LENGTH: "length",
    Finish.FILTER: "content_filter",
    Finish.REFUSAL: "stop",
}
_TYPES = {401: "invalid_request_error", 429: "requests", 503: "unavailable_error"}
_SLOT = "\ufffc"


class OpenAI(Wire):
    protocol = "openai"
    base = "/openai/v1"
    path = "/chat/completions"

    def __init__(self, ask: Ask) -> None:
        super().__init__(ask)
        self._created = int(time.time())
        self._around = {channel: self._chunk_around(key) for channel, key in _KEYS.items()}

    def opening(self) -> bytes:
        return self._chunk({"role": "assistant", "content": ""})

    def piece(self, piece: Piece) -> bytes:
        before, after = self._around[piece.channel]
        return before + compact(piece.text).encode() + after

    def closing(self, finish: Finish) -> bytes:
        last = self._chunk({}, _FINISH[finish])
        if self.ask.wants_usage:
            last += event(compact({**self._chunk_of([]), "usage": self._usage()}))
        return last + event("[DONE]")

    def failure(self, message: str) -> bytes:
        return event(compact(self.error(500, message))) + event("[DONE]")

    def whole(self, pieces: Sequence[Piece], finish: Finish) -> object:
        said = {key: text_of(pieces, channel) for channel, key in _KEYS.items()}
        message = {"role": "assistant", **{key: text or None for key, text in said.items()}}
        choice = {"index": 0, "message": message, "finish_reason": _FINISH[finish]}
        answer = {**self._chunk_of([choice]), "object": "chat.completion"}
        return {**answer, "usage": self._usage()}

    @staticmethod
    def error(status: int, message: str) -> object:
        kind = _TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error")
        return {"error": {"message": message, "type": kind, "param": None, "code": status}}

    def _chunk(self, delta: Mapping[str, str], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return event(compact(self._chunk_of([choice])))

    def _chunk_around(self, key: str) -> tuple[bytes, bytes]:
        """A chunk's bytes before and after its text, so that a token costs no more than its own."""
        before, _, after = self._chunk({key: _SLOT}).partition(compact(_SLOT).encode())
        return before, after

    def _chunk_of(self, choices: list[Any]) -> dict[str, Any]:
        return {
            "id": _ID,
            "object": "chat.completion.chunk",
            "created": self._created,
            "model": self.ask.model,
            "choices": choices,
        }

    def _usage(self) -> dict[str, int]:
        return {
            "prompt_tokens": self.ask.input_tokens,
            "completion_tokens": self.output_tokens,
            "total_tokens": self.ask.input_tokens + self.output_tokens,
        }
