"""What the decoders read in → well-formed deltas, usage and one closing event out.

The outcome of an answer, once its body has ended:

    an end marker came            Completed, even if the connection then broke
    it ended without one          Truncated (cut); raw text has none: its end is the marker
    it broke                      Truncated, or Failed if nothing had come
    nothing came                  Failed (cut)
"""

from django.utils.translation import gettext as _

from chatapp.errors import Kind, Problem
from chatapp.events import (
    Closing,
    Completed,
    Delta,
    Event,
    Failed,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
    Truncated,
    Usage,
)
from chatapp.locales import counted
from chatapp.upstream.problems import problem_in_stream, protocol_problem
from chatapp.upstream.redaction import KeyRemover, without_key
from chatapp.upstream.text import TextJoiner, well_formed

MAX_ANSWER_CHARS = 1_000_000
MAX_FINISH_CHARS = 100
MAX_TOKENS = 2**31 - 1

_KINDS = (TextDelta, ReasoningDelta, RefusalDelta)


class Answer:
    """One answer in the making. Nothing is taken up once it is closed."""

    def __init__(self, api_key: str = "") -> None:
        self.is_closed = False
        self.has_begun = False
        self.is_in_deltas = False
        self._api_key = api_key.strip()
        self._events: list[Event] = []
        self._run: list[str] = []
        self._run_type: type[Delta] = TextDelta
        self._joiners = {kind: TextJoiner() for kind in _KINDS}
        self._removers = {kind: KeyRemover(api_key) for kind in _KINDS}
        self._kinds: set[type[Delta]] = set()
        self._chars = 0
        self._finish: str | None = None
        self._input: int | None = None
        self._output: int | None = None

    @property
    def has_text(self) -> bool:
        """Whether anything was said, reasoned or refused."""
        return bool(self._run) or self._chars > 0

    def has(self, kind: type[Delta]) -> bool:
        """Whether anything of this kind came."""
        return kind in self._kinds or (bool(self._run) and self._run_type is kind)

    def say(self, text: str) -> None:
        """More of the answer's text."""
        self._add(TextDelta, text)

    def reason(self, text: str) -> None:
        """More of the reasoning."""
        self._add(ReasoningDelta, text)

    def refuse(self, text: str) -> None:
        """More of a refusal."""
        self._add(RefusalDelta, text)

    def count(self, input_tokens: object, output_tokens: object) -> None:
        """Usage as counted so far: the last number counts, anything else is not one."""
        self._input = _tokens(input_tokens, self._input)
        self._output = _tokens(output_tokens, self._output)

    def finish(self, reason: object) -> None:
        """A finish reason, which is an end marker; an empty string is none. More may follow."""
        if isinstance(reason, str) and reason:
            self._finish = well_formed(without_key(reason, self._api_key)[:MAX_FINISH_CHARS])

    def complete(self) -> None:
        """The end, as the upstream says."""
        self._close(Completed(self._finish))

    def fail(self, problem: Problem) -> None:
        """The end, by an error."""
        self._close(Failed(problem))

    def fail_with(self, error: object) -> None:
        """The end, by an error in the upstream's own shape."""
        self.fail(problem_in_stream(error, self._api_key))

    def reject(self, reason: str) -> None:
        """The end, as what came makes no sense; `reason` may quote it."""
        self.fail(protocol_problem(reason, self._api_key))

    def end(self, problem: Problem | None, *, is_marker: bool = False) -> None:
        """The body ended: by `problem`, or properly, which can itself be the end marker."""
        if self._finish is not None:
            self.complete()
        elif not self.has_begun:
            self.fail(problem or _nothing())
        elif problem is None and is_marker:
            self.complete()
        else:
            self._close(Truncated(problem or _cut()))

    def take(self) -> list[Event]:
        """The events since the last time, neighbouring deltas of one type as one."""
        if self._run:
            self._end_run()
        events, self._events = self._events, []
        return events

    def _add(self, kind: type[Delta], text: str) -> None:
        if not text or self.is_closed:
            return
        if kind is not self._run_type:
            self._end_run()
            self._run_type = kind
        self.has_begun = True
        self._run.append(text)

    def _end_run(self) -> None:
        text = self._joiners[self._run_type].feed("".join(self._run))
        self._run.clear()
        self._give_out(self._run_type, self._removers[self._run_type].feed(text))

    def _give_out(self, kind: type[Delta], text: str) -> None:
        if self.is_closed:
            return  # what was too long has ended it
        room = MAX_ANSWER_CHARS - self._chars
        self._chars += len(text)
        if text[:room]:
            self._kinds.add(kind)
            self._events.append(kind(text[:room]))
        if len(text) > room:
            self._give_closing(Truncated(_too_long()))

    def _close(self, closing: Closing) -> None:
        self._end_run()
        for kind, remover in self._removers.items():
            rest = remover.feed(self._joiners[kind].close())
            self._give_out(kind, rest + remover.close())
        self._give_closing(closing)

    def _give_closing(self, closing: Closing) -> None:
        if self.is_closed:
            return
        self.is_closed = True
        if self._input is not None or self._output is not None:
            self._events.append(Usage(self._input, self._output))
        self._events.append(closing)


def _nothing() -> Problem:
    return Problem(Kind.CUT, _("The endpoint's answer was empty."))


def _cut() -> Problem:
    return Problem(Kind.CUT, _("The endpoint's answer stopped without an end marker."))


def _too_long() -> Problem:
    message = _("The answer was ended here: it has more than %(most)s characters.")
    return Problem(Kind.CUT, message % {"most": counted(MAX_ANSWER_CHARS)})


def _tokens(value: object, otherwise: int | None) -> int | None:
    """`value` if it can be a number of tokens: JSON knows numbers that no database takes."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_TOKENS:
        return value
    return otherwise
