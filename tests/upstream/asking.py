"""What the tests of the wire share: short questions, whole answers, the outcome in words."""

from collections.abc import Iterable
from contextlib import aclosing
from typing import Any

from chatapp.events import (
    Completed,
    Event,
    Failed,
    ReasoningDelta,
    RefusalDelta,
    RequestSent,
    TextDelta,
    Truncated,
    Usage,
)
from chatapp.upstream.contract import Prompt, Target, Turn
from chatapp.upstream.http import stream
from chatapp.upstream.retries import RetryPolicy

PROMPT = Prompt((Turn("user", "Hi"),))
NO_RETRIES = RetryPolicy(())
QUICK_RETRIES = RetryPolicy((0.01, 0.01), patience_s=0.5)

_STATUSES = {Completed: "complete", Truncated: "incomplete", Failed: "error"}


async def ask(target: Target, *, retries: RetryPolicy = NO_RETRIES) -> list[Event]:
    """Every event of one call."""
    async with aclosing(stream(target, PROMPT, retries=retries)) as reads:
        return [event async for events in reads for event in events]


def text_of(events: Iterable[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def attempts_of(events: Iterable[Event]) -> int:
    return sum(isinstance(event, RequestSent) for event in events)


def outcome(events: list[Event]) -> dict[str, Any]:
    """The events of one answer as the fixtures tell them."""
    closing = events[-1]
    assert isinstance(closing, Completed | Truncated | Failed)
    assert sum(isinstance(event, Completed | Truncated | Failed) for event in events) == 1
    usages = [event for event in events if isinstance(event, Usage)]
    assert len(usages) <= 1
    return {
        "status": _STATUSES[type(closing)],
        "text": text_of(events),
        "reasoning": _joined(events, ReasoningDelta),
        "refusal": _joined(events, RefusalDelta),
        "finish": closing.finish if isinstance(closing, Completed) else None,
        "usage": {"input": usages[0].input, "output": usages[0].output} if usages else None,
        "problem": None if isinstance(closing, Completed) else closing.problem,
    }


def _joined(events: list[Event], kind: type[ReasoningDelta] | type[RefusalDelta]) -> str:
    return "".join(event.text for event in events if isinstance(event, kind))
