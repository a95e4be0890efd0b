"""A script → the body of a Baseten Truss `predict`: the text's own bytes, and nothing else.

Reasoning, finish reasons and errors in mid-answer cannot be expressed: the end of the body is the
end of the answer. Source: https://docs.baseten.co/development/model/streaming.
"""

from collections.abc import Mapping, Sequence

from chatapp.demo.script import Channel, Finish, Piece
from chatapp.demo.wire import Wire, text_of


class Truss(Wire):
    protocol = "truss"
    base = "/truss/environments/production/predict"
    content_type = "application/octet-stream"
    streams_unasked = True
    can_reason = False

    def piece(self, piece: Piece) -> bytes:
        return piece.text.encode()

    def nonsense(self) -> bytes:
        return b'{"output": "bro'

    def whole(self, pieces: Sequence[Piece], finish: Finish) -> object:
        return text_of(pieces) + text_of(pieces, Channel.REFUSAL)

    @staticmethod
    def error(status: int, message: str) -> object:
        return {"error": message}

    @staticmethod
    def error_headers(status: int) -> Mapping[str, str]:
        code = "600" if status >= 500 else "700"  # the model's side, or the client's
        return {"x-baseten-error-source": "04", "x-baseten-error-code": code}
