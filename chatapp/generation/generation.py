"""One reply's life: a call → upstream events → the log → one closing status.

A generation belongs to the process, not to a socket. It only ever appends to its log; who reads
along, and how fast, makes no difference to it.
"""

import asyncio
import logging
import time
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from chatapp.errors import Kind, Problem
from chatapp.events import (
    Closing,
    Completed,
    Delta,
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
from chatapp.failpoints import reach
from chatapp.generation import shared_log
from chatapp.generation.arrivals import Arrivals
from chatapp.generation.calls import Call
from chatapp.generation.hints import notify
from chatapp.generation.log import KINDS, Log
from chatapp.generation.rows import Snapshot
from chatapp.generation.source import run_of
from chatapp.models import Status
from chatapp.text import tokens_in
from chatapp.upstream.answer import MAX_TOKENS
from chatapp.upstream.http import stream

logger = logging.getLogger(__name__)

_DELTAS = (TextDelta, ReasoningDelta, RefusalDelta)
_STATUS_OF = {
    Completed: Status.COMPLETE,
    Truncated: Status.INCOMPLETE,
    Failed: Status.ERROR,
}


class Generation:
    """One upstream call for one reply, and everything that is known of it so far."""

    def __init__(self, call: Call) -> None:
        self.call = call
        self.log = Log()
        self.log.append(KINDS[part](text) for part, text in call.before.items() if text)
        self.status = Status.QUEUED
        self.is_saved = False
        self._arrivals = Arrivals()
        self._times: dict[str, float] = {}
        self._facts: dict[str, Any] = {}
        self._usage = Usage(None, None)
        self._stop_requested = False
        self._task: asyncio.Task[None] | None = None

    @property
    def reply_id(self) -> UUID:
        return self.call.reply_id

    @property
    def run(self) -> str:
        return run_of(self.reply_id, self.call.run)

    async def live(self) -> None:
        """Reads the upstream to its end, or until `stop`; always leaves a final status."""
        self._task = asyncio.current_task()
        if self._stop_requested:
            self._end(Status.STOPPED)
        if not self.status.is_live:
            return
        try:
            await reach("reply.called")
            async with aclosing(stream(self.call.target, self.call.prompt)) as batches:
                async for events in batches:
                    self._take(events)
                    notify(self.call.conversation_id)
                    shared_log.share(self)
        except asyncio.CancelledError:
            self._end(Status.STOPPED if self._stop_requested else Status.INTERRUPTED)
            if not self._stop_requested:
                raise
        except Exception:
            logger.exception("generation of reply %s failed", self.reply_id)
            message = _("chatapp itself failed; the log says more.")
            self._close(Failed(Problem(Kind.SERVER, message)))

    def stop(self) -> None:
        """Closes the upstream and keeps the text; without effect once the reply has ended."""
        if self.status.is_live and not self._stop_requested:
            self._stop_requested = True
            self._times.setdefault("stop_requested_at", time.time())
            if self._task is not None:
                self._task.cancel()

    def interrupt(self) -> None:
        """Closes the upstream because the process ends; without effect once the reply has ended."""
        if self.status.is_live and not self._stop_requested:
            self._end(Status.INTERRUPTED)
            if self._task is not None:
                self._task.cancel()

    def snapshot(self) -> Snapshot:
        """The reply's row as it should be now."""
        fields: dict[str, Any] = {"status": self.status, **self.log.texts(), **self._facts}
        fields |= {name: datetime.fromtimestamp(at, UTC) for name, at in self._times.items()}
        fields["arrivals"] = self._arrivals.record()
        return Snapshot(self.reply_id, self.call.conversation_id, fields)

    def tokens_taken(self) -> int:
        """As the endpoint counted them; what it did not count is estimated, once it answered."""
        asked, said = self._usage.input, self._usage.output
        if "headers_at" not in self._times and asked is said is None:
            return 0
        return (self.call.reservation.prompt if asked is None else asked) + (
            self._estimate_of_answer() if said is None else said
        )

    def _estimate_of_answer(self) -> int:
        before = self.call.before
        texts = self.log.texts().items()
        return sum(tokens_in(text[len(before.get(part, "")) :]) for part, text in texts)

    def _take(self, events: list[Event]) -> None:
        deltas: list[Delta] = [event for event in events if isinstance(event, _DELTAS)]
        if deltas:
            self._append(deltas)
        if len(deltas) == len(events):
            return
        for event in events:
            self._note(event)

    def _append(self, deltas: list[Delta]) -> None:
        now = time.time()
        if self.status is Status.QUEUED:
            self.status = Status.STREAMING
            self._times["first_token_at"] = now
        self._times["last_token_at"] = now
        self._arrivals.add(time.monotonic(), len(deltas))
        self.log.append(deltas)

    def _note(self, event: Event) -> None:
        match event:
            case RequestSent(attempt):
                self._times["request_sent_at"] = time.time()
                self._facts["attempts"] = attempt
            case HeadersReceived(request_id):
                self._times["headers_at"] = time.time()
                self._facts["request_id"] = (request_id or "")[:200]
            case Usage(input_tokens, output_tokens):
                self._usage, spent = event, self.call.spent
                self._facts["input_tokens"] = _sum(spent.input, input_tokens)
                self._facts["output_tokens"] = _sum(spent.output, output_tokens)
            case Completed() | Truncated() | Failed():
                self._close(event)

    def _close(self, closing: Closing) -> None:
        if isinstance(closing, Completed):
            self._facts["finish_reason"] = (closing.finish or "")[:100]
        else:
            self._facts |= _columns(closing.problem)
        self._end(_STATUS_OF[type(closing)])

    def _end(self, status: Status) -> None:
        if self.status.is_live:
            self.status = status
            self._times["finished_at"] = time.time()


def _sum(before: int | None, more: int | None) -> int | None:
    """No more than a column holds: a row that can't be written would be tried for ever."""
    return before if more is None else min((before or 0) + more, MAX_TOKENS)


def _columns(problem: Problem) -> dict[str, Any]:
    columns: dict[str, Any] = {
        "error_kind": problem.kind,
        "error_status": problem.http_status,
        "error_message": problem.message,
        "error_retry_after_s": problem.retry_after_s,
    }
    if problem.request_id:
        columns["request_id"] = problem.request_id[:200]
    return columns
