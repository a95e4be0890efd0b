"""Upstream events in → a terminal's text, or one JSON object a line, out."""

import asyncio
import json
import signal
import sys
import time
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from chatapp.errors import Problem
from chatapp.events import (
    Completed,
    Event,
    Failed,
    HeadersReceived,
    ReasoningDelta,
    RefusalDelta,
    RequestSent,
    TextDelta,
    Truncated,
    Usage,
)
from chatapp.upstream.contract import Prompt, Target
from chatapp.upstream.http import close_client, stream

EXIT_CODES = {"complete": 0, "error": 1, "incomplete": 3, "stopped": 130}
_TYPES = {TextDelta: "text", ReasoningDelta: "reasoning", RefusalDelta: "refusal"}


@dataclass(slots=True)
class Outcome:
    """How the answer ended; times on the monotonic clock, in seconds."""

    status: str = "stopped"
    finish: str | None = None
    usage: Usage | None = None
    problem: Problem | None = None
    request_id: str | None = None
    asked_s: float = field(default_factory=time.monotonic)
    first_s: float | None = None

    def note(self, event: Event) -> None:
        match event:
            case Usage():
                self.usage = event
            case HeadersReceived(request_id):
                self.request_id = request_id
            case Completed(finish):
                self.status, self.finish = "complete", finish
            case Truncated(problem):
                self.status, self.problem = "incomplete", problem
            case Failed(problem):
                self.status, self.problem = "error", problem
            case RequestSent():
                pass
            case _:
                self.first_s = self.first_s or time.monotonic()

    def line(self) -> dict[str, Any]:
        """The last line of `--json`."""
        return {
            "type": "end",
            "status": self.status,
            "finish": self.finish,
            "usage": self.usage and {"input": self.usage.input, "output": self.usage.output},
            "error": self.problem and _error(self.problem, self.request_id),
            "timing": {
                "ttft_ms": self.first_s and round((self.first_s - self.asked_s) * 1000, 1),
                "total_ms": round((time.monotonic() - self.asked_s) * 1000, 1),
            },
        }


async def print_answer(
    target: Target, prompt: Prompt, *, as_json: bool, with_timing: bool = False
) -> int:
    """Prints the answer as it arrives and returns its exit code, one of `EXIT_CODES`.

    Ctrl-C closes the upstream; what came before stays printed.
    """
    outcome = Outcome()
    reading = asyncio.ensure_future(_print_events(target, prompt, outcome, as_json))
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, reading.cancel)
    try:
        await reading
    except asyncio.CancelledError:
        outcome.status = "stopped"
    finally:
        await close_client()
    if as_json:
        _print(json.dumps(outcome.line()) + "\n")
    else:
        _print_ending(outcome, with_timing)
    return EXIT_CODES[outcome.status]


def print_failure(problem: Problem) -> int:
    """Prints the last line of `--json` for a call that could not be made; returns the exit code."""
    outcome = Outcome(status="error", problem=problem)
    _print(json.dumps(outcome.line()) + "\n")
    return EXIT_CODES[outcome.status]


async def _print_events(target: Target, prompt: Prompt, outcome: Outcome, as_json: bool) -> None:
    async with aclosing(stream(target, prompt)) as batches:
        async for events in batches:
            for event in events:
                outcome.note(event)
                if kind := _TYPES.get(type(event)):
                    _print_delta(kind, event, as_json)


def _print_delta(kind: str, event: Any, as_json: bool) -> None:
    if as_json:
        _print(json.dumps({"type": kind, "text": event.text}) + "\n")
    elif kind == "reasoning":
        _print(event.text, sys.stderr)
    else:
        _print(event.text)


def _print_ending(outcome: Outcome, with_timing: bool) -> None:
    _print("\n")
    if outcome.problem is not None:
        problem = outcome.problem
        status = f" (HTTP {problem.http_status})" if problem.http_status else ""
        _print(f"{problem.kind.headline}{status}: {problem.message}\n", sys.stderr)
        _print(f"{problem.kind.advice}\n", sys.stderr)
    if with_timing:
        timing = outcome.line()["timing"]
        _print(f"first token {timing['ttft_ms']} ms, total {timing['total_ms']} ms\n", sys.stderr)


def _error(problem: Problem, request_id: str | None) -> dict[str, Any]:
    return {
        "kind": str(problem.kind),
        "http_status": problem.http_status,
        "message": problem.message,
        "retry_after": problem.retry_after_s,
        "request_id": problem.request_id or request_id,
    }


def _print(text: str, file: Any = None) -> None:
    print(text, end="", file=file or sys.stdout, flush=True)
