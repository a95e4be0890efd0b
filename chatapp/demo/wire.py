"""What every protocol has to be able to say: the moments of an answer → bytes.

One `Wire` tells one answer. The siblings `openai`, `anthropic`, `truss` and `cerebrium` override
what their protocol says differently. Source: each vendor's documentation, named in its module.
"""

import json
from collections.abc import Mapping, Sequence
from typing import ClassVar

from chatapp.demo.ask import Ask
from chatapp.demo.script import Channel, Finish, Piece


class Wire:
    """One answer in one protocol; the methods come in the order of the answer."""

    protocol: ClassVar[str]
    base: ClassVar[str]  # what an administrator stores as the endpoint's URL, after host and port
    path: ClassVar[str] = ""  # what the client adds to it
    content_type: ClassVar[str] = "text/event-stream; charset=utf-8"
    streams_unasked: ClassVar[bool] = False
    can_reason: ClassVar[bool] = True
    request_id_header: ClassVar[str] = "x-request-id"

    def __init__(self, ask: Ask) -> None:
        self.ask = ask
        self.output_tokens = 0

    def opening(self) -> bytes:
        """What comes with the first token."""
        return b""

    def tell(self, pieces: Sequence[Piece]) -> bytes:
        """Several tokens for one write."""
        self.output_tokens += len(pieces)
        return b"".join(map(self.piece, pieces))

    def piece(self, piece: Piece) -> bytes:
        """One token."""
        raise NotImplementedError

    def closing(self, finish: Finish) -> bytes:
        """The end of an answer, nothing where the end of the body is the end."""
        return b""

    def failure(self, message: str) -> bytes:
        """An error after the answer has begun, nothing where the protocol has no word for it."""
        return b""

    def nonsense(self) -> bytes:
        """JSON that breaks off."""
        return event('{"choices": [{"delta": {"content": "bro')

    def whole(self, pieces: Sequence[Piece], finish: Finish) -> object:
        """The same answer in one piece, as JSON."""
        raise NotImplementedError

    @staticmethod
    def error(status: int, message: str) -> object:
        """The body of a response other than 200, as JSON."""
        raise NotImplementedError

    @staticmethod
    def error_headers(status: int) -> Mapping[str, str]:
        """Headers that come with `error`."""
        return {}


def event(data: str, name: str = "") -> bytes:
    """One server-sent event; every line of `data` is a field of its own."""
    head = f"event: {name}\n" if name else ""
    fields = "".join(f"data: {line}\n" for line in data.split("\n"))
    return f"{head}{fields}\n".encode()


def compact(value: object) -> str:
    """JSON as servers send it: no spaces, and text unescaped."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def text_of(pieces: Sequence[Piece], channel: Channel = Channel.TEXT) -> str:
    """What `pieces` say in one channel, joined."""
    return "".join(piece.text for piece in pieces if piece.channel is channel)
