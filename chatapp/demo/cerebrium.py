"""A script → Cerebrium's event stream: plain text, one `data` event a token.

A newline within a token makes another `data` line. Source:
https://docs.cerebrium.ai/endpoints/streaming.
"""

from collections.abc import Sequence

from chatapp.demo.script import Channel, Finish, Piece
from chatapp.demo.wire import Wire, compact, event, text_of

_RUN_ID = "demo-run"


class Cerebrium(Wire):
    protocol = "cerebrium"
    base = "/cerebrium/v4/p-demo/scripted/run"
    streams_unasked = True
    can_reason = False

    def piece(self, piece: Piece) -> bytes:
        # A carriage return would end the line, so it travels as JSON.
        return event(compact({"token": piece.text}) if "\r" in piece.text else piece.text)

    def failure(self, message: str) -> bytes:
        return event(compact({"error": message}))

    def nonsense(self) -> bytes:
        return event('{"token": "bro')

    def whole(self, pieces: Sequence[Piece], finish: Finish) -> object:
        result = text_of(pieces) + text_of(pieces, Channel.REFUSAL)
        return {"run_id": _RUN_ID, "run_time_ms": 1.0, "result": result}

    @staticmethod
    def error(status: int, message: str) -> object:
        return {"message": message}
