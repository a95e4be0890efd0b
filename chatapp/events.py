"""What a stream can say: facts about one upstream call, in the order they happened.

An answer is any number of `RequestSent` (one an attempt) and `HeadersReceived`, then deltas and at
most one `Usage`, then exactly one closing event. Decoders emit deltas, usage and the closing
event; the HTTP layer adds the facts of the connection.
"""

from dataclasses import dataclass
from typing import TypeAlias

from chatapp.errors import Problem


@dataclass(frozen=True, slots=True)
class RequestSent:
    """An attempt begins; `attempt` counts from 1."""

    attempt: int


@dataclass(frozen=True, slots=True)
class HeadersReceived:
    """The upstream answered 200 and its body begins."""

    request_id: str | None


@dataclass(frozen=True, slots=True)
class TextDelta:
    """More of the answer. Well-formed Unicode: no lone surrogate, no U+0000."""

    text: str


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    """More of the model's reasoning, shown folded."""

    text: str


@dataclass(frozen=True, slots=True)
class RefusalDelta:
    """More of a refusal that came instead of an answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the upstream counted them; None where it did not say."""

    input: int | None
    output: int | None


@dataclass(frozen=True, slots=True)
class Completed:
    """The upstream said it is finished; `finish` is its raw reason, if it gave one."""

    finish: str | None


@dataclass(frozen=True, slots=True)
class Truncated:
    """The answer stopped without saying so; what came before is kept."""

    problem: Problem


@dataclass(frozen=True, slots=True)
class Failed:
    """The upstream, or our reading of it, reports an error; what came before is kept."""

    problem: Problem


Delta: TypeAlias = TextDelta | ReasoningDelta | RefusalDelta
Closing: TypeAlias = Completed | Truncated | Failed
Event: TypeAlias = RequestSent | HeadersReceived | Delta | Usage | Closing
