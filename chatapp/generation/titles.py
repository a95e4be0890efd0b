"""A first exchange that has ended → a title for its conversation, by the endpoint that answered.

Nobody waits for it. Until there is one, and for good if none comes, the title is the beginning of
the prompt. Its tokens are the person's, so it is only asked for while they have some; it is no
prompt of theirs.
"""

import asyncio
import logging
import re
import unicodedata
from collections import deque
from contextlib import aclosing
from dataclasses import dataclass, replace
from uuid import UUID

from django.db import Error as DatabaseTrouble
from django.db import transaction
from django.utils import timezone

from chatapp import metrics
from chatapp.database import read, write
from chatapp.events import (
    Completed,
    Delta,
    Event,
    Failed,
    RefusalDelta,
    TextDelta,
    Truncated,
    Usage,
)
from chatapp.figures.closing import count_aside
from chatapp.generation import bus
from chatapp.generation.background import begin
from chatapp.generation.calls import reservation_for
from chatapp.limits.counters import Reservation, reserve_aside, settle_aside
from chatapp.limits.refusals import LimitReached
from chatapp.models import Conversation, Message, Status, endpoint_for
from chatapp.models.conversation import title_from
from chatapp.text import tokens_in
from chatapp.upstream.contract import Prompt, Target, Turn
from chatapp.upstream.http import stream
from chatapp.upstream.options import asks_titles
from chatapp.upstream.retries import NO_FAILURES

logger = logging.getLogger(__name__)

WISH = (
    "Give the conversation below a title of at most six words, in the language of the "
    "conversation, without quotes. Answer with the title alone."
)

_PART_CHARS = 1000
_MAX_TOKENS = 256
_ENOUGH_CHARS = 4000
_TOTAL_S, _CONNECT_S = 20.0, 5.0
_MOST_WAITING = 20

_THINKING = re.compile(r"<(think|thinking|reasoning)>.*?(?:</\1>|\Z)", re.DOTALL | re.IGNORECASE)
_END_OF_THINKING = re.compile(r"\A.*</(?:think|thinking|reasoning)>", re.DOTALL | re.IGNORECASE)
_PREFIX = re.compile(
    r"\A(?:title|titel|titre|título|titulo|titolo|tytuł|заголовок|название|标题|標題|タイトル|제목)"
    r"\s*[:：]\s*",
    re.IGNORECASE,
)
_LIST_MARK = re.compile(r"\A(?:#{1,6}|[-*+•>]|1[.)])\s+")
_AROUND = " \t*_`~\"'“”„‟‘’‚«»‹›「」『』《》"
# Joins within emoji and words of some scripts; every other invisible character goes.
_JOINERS = "\u200c\u200d"


@dataclass(frozen=True, slots=True)
class Exchange:
    """What `person_id` asked first and what was answered, of `conversation_id`, by `target`."""

    person_id: int
    conversation_id: UUID
    reply_id: UUID
    target: Target
    question: str
    answer: str


class Answer:
    """What came of asking: the text, and the tokens, estimated where the endpoint counts none;
    `usage` is what it counts."""

    def __init__(self, asked_tokens: int) -> None:
        self.text = ""
        self._asked_tokens = asked_tokens
        self._written_tokens = 0
        self.usage = Usage(None, None)

    @property
    def tokens(self) -> int:
        asked, written = self.usage.input, self.usage.output
        if written is None:
            written = self._written_tokens
        return written + (self._asked_tokens if asked is None else asked) if written else 0

    def take(self, events: list[Event]) -> None:
        self.text += "".join(event.text for event in events if isinstance(event, TextDelta))
        written = "".join(event.text for event in events if isinstance(event, Delta))
        self._written_tokens += tokens_in(written)
        self.usage = next((e for e in events if isinstance(e, Usage)), self.usage)


_waiting: deque[Exchange] = deque()
_worker: asyncio.Task[None] | None = None


def suggest(exchange: Exchange) -> None:
    """Has a title asked for, if the endpoint is asked for titles at all; returns at once.

    One at a time: under load some conversations keep the beginning of their prompt.
    """
    global _worker
    target = exchange.target
    if not exchange.answer or not asks_titles(target.protocol, target.options):
        return
    if len(_waiting) < _MOST_WAITING:
        _waiting.append(exchange)
    if _worker is None or _worker.done():
        _worker = begin(_work())


def clean_title(text: str) -> str:
    """What a model answered as a title: one line of plain text, empty if there is none in it."""
    text = _END_OF_THINKING.sub("", _THINKING.sub("", text))
    lines = [line for line in map(_bare, text.splitlines()) if line]
    if len(lines) > 1 and lines[0].endswith((":", "：")):
        lines.pop(0)  # “Here is a title:”
    return title_from(lines[0]) if lines else ""


async def _work() -> None:
    try:
        while _waiting:
            await _title(_waiting.popleft())
    finally:
        _waiting.clear()


async def _title(exchange: Exchange) -> None:
    try:
        was = await read(_cut_title, exchange)
        title = await _asked_within_limits(exchange) if was else ""
        if not title:
            return
        is_given = await write(_give, exchange.conversation_id, was, title)
        if is_given:
            bus.announce(exchange.conversation_id)
    except (DatabaseTrouble, LimitReached) as error:
        logger.debug("conversation %s got no title: %s", exchange.conversation_id, error)


async def _asked_within_limits(exchange: Exchange) -> str:
    """`_ask`, its tokens reserved before it and settled after it.

    If the process ends meanwhile, the reservation is gone when the person's replies are counted.
    """
    reserved = await write(_reserve, exchange)
    answer = Answer(reserved.prompt)
    await _ask(exchange, answer)
    await write(_settle, exchange, reserved, answer)
    metrics.count_tokens(exchange.target.name, answer.usage)
    return clean_title(answer.text)


def _settle(exchange: Exchange, reserved: Reservation, answer: Answer) -> None:
    with transaction.atomic():
        settle_aside(reserved, answer.tokens)
        count_aside(exchange.person_id, exchange.target.name, answer.usage)


def _reserve(exchange: Exchange) -> Reservation:
    wanted = reservation_for(exchange.person_id, _prompt(exchange), exchange.target)
    with transaction.atomic():
        reserve_aside(wanted)
    return wanted


def _cut_title(exchange: Exchange) -> str:
    """The title, if it is still the beginning of the first prompt, to which the reply belongs."""
    reply = Message.objects.select_related("conversation__owner").filter(
        pk=exchange.reply_id,
        status=Status.COMPLETE,
        parent__parent=None,
        conversation__is_title_own=False,
    )
    roots = Message.objects.filter(conversation=exchange.conversation_id, parent=None)
    title = next((m.conversation.title for m in reply if _may_still_ask(m)), "")
    cuts = {title_from(text) for text in roots.values_list("text", flat=True)} if title else ()
    return title if title in cuts else ""


def _may_still_ask(reply: Message) -> bool:
    endpoint = endpoint_for(reply.conversation.owner, reply.endpoint_id)
    return endpoint is not None and endpoint.is_usable


async def _ask(exchange: Exchange, answer: Answer) -> None:
    """Asks the endpoint; leaves no text if it refused, failed, or took too long."""
    target = replace(
        exchange.target,
        connect_timeout_s=min(_CONNECT_S, exchange.target.connect_timeout_s),
        total_timeout_s=min(_TOTAL_S, exchange.target.total_timeout_s),
    )
    async with aclosing(stream(target, _prompt(exchange), retries=NO_FAILURES)) as batches:
        async for events in batches:
            answer.take(events)
            if (trouble := _trouble(events)) is not None or len(answer.text) > _ENOUGH_CHARS:
                logger.debug("conversation %s got no title: %s", exchange.conversation_id, trouble)
                answer.text = ""
                return


def _prompt(exchange: Exchange) -> Prompt:
    """Without a system prompt, which not every endpoint takes."""
    text = "\n\n".join(
        [
            WISH,
            f"Question:\n{exchange.question[:_PART_CHARS]}",
            f"Answer:\n{exchange.answer[:_PART_CHARS]}",
        ]
    )
    return Prompt((Turn("user", text),), parameters={"max_tokens": _MAX_TOKENS})


def _trouble(events: list[Event]) -> object:
    """Why there is no title to be had, None as long as there may be one."""
    for event in events:
        if isinstance(event, RefusalDelta):
            return "refused"
        if isinstance(event, Truncated | Failed):
            return event.problem
        if isinstance(event, Completed) and event.finish == "content_filter":
            return event.finish
    return None


def _give(conversation_id: UUID, was: str, title: str) -> bool:
    """Writes the title, unless there is another one by now; whether it did."""
    kept = Conversation.objects.filter(pk=conversation_id, deleted_at=None)
    untouched = kept.filter(is_title_own=False, title=was).exclude(title=title)
    return bool(untouched.update(title=title, updated_at=timezone.now()))


def _bare(line: str) -> str:
    """A line without control characters, marks of Markdown, quotes and “Title:”."""
    line = "".join(" " if _is_control(char) else char for char in line if not _is_hidden(char))
    before = None
    while line != before:
        before = line
        line = _LIST_MARK.sub("", line.strip(_AROUND))
        line = _PREFIX.sub("", line)
    if line.endswith((".", "。")) and not line.endswith(".."):
        line = line[:-1]
    return " ".join(line.split())


def _is_control(char: str) -> bool:
    return unicodedata.category(char) in ("Cc", "Zl", "Zp")


def _is_hidden(char: str) -> bool:
    return unicodedata.category(char) in ("Cf", "Cs", "Co", "Cn") and char not in _JOINERS
