"""The name in `/fault NAME` → what goes wrong on purpose, and what a client should make of it.

This one table feeds the answer to `/help`, the server and the tests. The words of an outcome are
those of the upstream fixtures: a status, and the kind of error if there is one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Status = Literal["complete", "incomplete", "error", "stopped"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a well-behaved client ends; `stopped` where only the client itself can end it."""

    status: Status
    kind: str | None = None

    def __str__(self) -> str:
        return f"{self.status}, {self.kind}" if self.kind else self.status


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to fail. `http_status` and `message` are set when the answer is an HTTP error."""

    name: str
    about: str
    outcome: Outcome
    elsewhere: Mapping[str, Outcome] = field(default_factory=dict)
    http_status: int | None = None
    message: str = ""

    def outcome_on(self, protocol: str) -> Outcome:
        """The outcome in a protocol, which may be unable to express the fault."""
        return self.elsewhere.get(protocol, self.outcome)


COMPLETE = Outcome("complete")


def _status(name: str, kind: str, about: str, message: str) -> Fault:
    return Fault(name, about, Outcome("error", kind), http_status=int(name), message=message)


_ALL = (
    _status(
        "400",
        "bad_request",
        "the prompt is longer than the context",
        "This model's maximum context length was exceeded.",
    ),
    _status("401", "auth", "the key is not accepted", "Incorrect API key provided."),
    _status("402", "billing", "no credit is left", "Insufficient credits. Add more and retry."),
    _status("404", "not_found", "the model is unknown", "The model does not exist."),
    _status(
        "429",
        "rate_limit",
        "too many requests; names the wait (Retry-After)",
        "Rate limit reached for requests.",
    ),
    _status("500", "server", "the model raised an exception", "Internal server error."),
    _status("503", "overloaded", "the model is still being loaded", "Loading model."),
    _status("504", "timeout", "the gateway lost patience", "Upstream request timeout."),
    _status("529", "overloaded", "too much to do", "Overloaded."),
    Fault("hang", "no response at all, not even headers", Outcome("error", "timeout")),
    Fault("reset", "the connection is reset before any header", Outcome("error", "network")),
    Fault("redirect", "sends the client elsewhere (307)", Outcome("error", "protocol")),
    Fault("html", "200 with a web page instead of an answer", Outcome("error", "protocol")),
    Fault("empty", "200 and not one byte in the body", Outcome("error", "cut")),
    Fault("whole", "ignores `stream` and answers in one piece", COMPLETE),
    Fault("slow-first", "ten seconds until the first token", COMPLETE),
    Fault("bursts", "tokens come thirty at a time", COMPLETE),
    Fault("gzip", "compressed, flushed after every write", COMPLETE),
    Fault("split-utf8", "writes end inside characters such as é, 風 and 🌊", COMPLETE),
    Fault(
        "cut",
        "ends properly in mid-answer, without an end marker",
        Outcome("incomplete", "cut"),
        {"truss": COMPLETE, "cerebrium": COMPLETE},
    ),
    Fault("abort", "the connection breaks in mid-answer", Outcome("incomplete", "network")),
    Fault("stall", "falls silent in mid-answer, for good", Outcome("incomplete", "timeout")),
    Fault(
        "error",
        "reports an error in mid-answer",
        Outcome("error", "server"),
        {"truss": COMPLETE},
    ),
    Fault(
        "json",
        "sends broken JSON in mid-answer",
        Outcome("error", "protocol"),
        {"truss": COMPLETE, "cerebrium": COMPLETE},
    ),
    Fault("refusal", "declines to answer", COMPLETE),
    Fault("filter", "stopped in mid-answer by a content filter", COMPLETE),
    Fault("length", "stopped in mid-answer by the token limit", COMPLETE),
    Fault("endless", "never ends; press Stop", Outcome("stopped")),
)

FAULTS: Mapping[str, Fault] = {fault.name: fault for fault in _ALL}
