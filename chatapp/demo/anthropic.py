"""A script → Anthropic's messages: named events from `message_start` to `message_stop`.

Source: https://docs.anthropic.com/en/docs/build-with-claude/streaming.
"""

from collections.abc import Sequence
from typing import Any

from chatapp.demo.ask import Ask
from chatapp.demo.script import Channel, Finish, Piece
from chatapp.demo.wire import Wire, compact, event, text_of

_ID = "msg_demo"
_STOP_REASONS = {
    Finish.STOP: "end_turn",
    Finish.LENGTH: "max_tokens",
    Finish.FILTER: "refusal",
    Finish.REFUSAL: "refusal",
}
_ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    404: "not_found_error",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_SIGNATURE = "c2NyaXB0ZWQ="


class Anthropic(Wire):
    protocol = "anthropic"
    base = "/anthropic"
    path = "/v1/messages"
    request_id_header = "request-id"

    def __init__(self, ask: Ask) -> None:
        super().__init__(ask)
        self._open_block: str | None = None
        self._index = -1

    def opening(self) -> bytes:
        usage = {"input_tokens": self.ask.input_tokens, "output_tokens": 1}
        message = {**self._message([]), "stop_reason": None, "usage": usage}
        return _event("message_start", message=message) + _event("ping")

    def piece(self, piece: Piece) -> bytes:
        key = "thinking" if piece.channel is Channel.REASONING else "text"
        delta = {"type": f"{key}_delta", key: piece.text}
        return self._turn_to(key) + self._delta(delta)

    def closing(self, finish: Finish) -> bytes:
        delta = {"stop_reason": _STOP_REASONS[finish], "stop_sequence": None}
        usage = {"output_tokens": self.output_tokens}
        return (
            self._close_block()
            + _event("message_delta", delta=delta, usage=usage)
            + _event("message_stop")
        )

    def failure(self, message: str) -> bytes:
        return _event("error", error={"type": "api_error", "message": message})

    def nonsense(self) -> bytes:
        return event('{"type": "content_block_delta", "index": 0, "del', "content_block_delta")

    def whole(self, pieces: Sequence[Piece], finish: Finish) -> object:
        thinking = text_of(pieces, Channel.REASONING)
        text = text_of(pieces) + text_of(pieces, Channel.REFUSAL)
        content = [{"type": "thinking", "thinking": thinking, "signature": _SIGNATURE}]
        content = [*(content if thinking else []), {"type": "text", "text": text}]
        usage = {"input_tokens": self.ask.input_tokens, "output_tokens": self.output_tokens}
        return {**self._message(content), "stop_reason": _STOP_REASONS[finish], "usage": usage}

    @staticmethod
    def error(status: int, message: str) -> object:
        kind = _ERROR_TYPES.get(status, "api_error")
        return {"type": "error", "error": {"type": kind, "message": message}}

    def _turn_to(self, kind: str) -> bytes:
        """Closes the block that is open and opens the next, if `kind` differs."""
        if kind == self._open_block:
            return b""
        closed = self._close_block()
        self._open_block, self._index = kind, self._index + 1
        block = {"type": kind, kind: "", **({"signature": ""} if kind == "thinking" else {})}
        return closed + _event("content_block_start", index=self._index, content_block=block)

    def _close_block(self) -> bytes:
        if self._open_block is None:
            return b""
        signature = self._delta({"type": "signature_delta", "signature": _SIGNATURE})
        stop = _event("content_block_stop", index=self._index)
        return signature + stop if self._open_block == "thinking" else stop

    def _delta(self, delta: dict[str, str]) -> bytes:
        return _event("content_block_delta", index=self._index, delta=delta)

    def _message(self, content: list[dict[str, str]]) -> dict[str, Any]:
        return {
            "id": _ID,
            "type": "message",
            "role": "assistant",
            "model": self.ask.model,
            "content": content,
            "stop_sequence": None,
        }


def _event(kind: str, **values: object) -> bytes:
    return event(compact({"type": kind, **values}), kind)
