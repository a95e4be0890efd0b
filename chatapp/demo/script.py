"""A request → its script: what to say and think, how fast, and what goes wrong. Pure.

The same prompt always gets the same script; chance is seeded by it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import chain, islice, repeat
from random import Random
from typing import NamedTuple

from chatapp.demo.answers import answer, endless, refusal, thoughts
from chatapp.demo.ask import Ask
from chatapp.demo.commands import REASONING_TOKENS, Orders, read_orders
from chatapp.demo.faults import Fault
from chatapp.demo.pace import Pace
from chatapp.demo.titling import title_for
from chatapp.demo.tokens import tokens

FIRST_TOKEN_DELAY_S = 0.25
SLOW_FIRST_TOKEN_DELAY_S = 10.0
BURST_TOKENS = 30
TOKENS_BEFORE_FAULT = 40

_THINK = re.compile(r"\b(think|thinking|reason|reasoning|ponder)\b", re.IGNORECASE)
_FILLING = "And so on, one word after another, until the length is reached. "


class Channel(Enum):
    """What a piece is part of."""

    TEXT = "text"
    REASONING = "reasoning"
    REFUSAL = "refusal"


class Finish(Enum):
    """Why an answer ended; each protocol has its own word for it."""

    STOP = "stop"
    LENGTH = "length"
    FILTER = "filter"
    REFUSAL = "refusal"


class Piece(NamedTuple):
    """One token."""

    text: str
    channel: Channel = Channel.TEXT


@dataclass(frozen=True, slots=True)
class Script:
    """One answer before it is told. `pieces` can be played once, and may be without end."""

    pieces: Iterator[Piece]
    pace: Pace
    first_token_delay_s: float = FIRST_TOKEN_DELAY_S
    finish: Finish = Finish.STOP
    max_tokens: int | None = None
    fault: Fault | None = None
    tokens_before_fault: int = TOKENS_BEFORE_FAULT


class Reel:
    """Plays a script's pieces up to a limit; once they are over, `finish` says why."""

    def __init__(self, script: Script, limit: int | None = None) -> None:
        limits = [n for n in (script.max_tokens, limit) if n is not None]
        self.played = 0
        self.finish = script.finish
        self._pieces = script.pieces
        self._limit = min(limits, default=None)

    def take(self, count: int) -> list[Piece]:
        """The next pieces, at most `count`; none when it is over."""
        if self._limit is not None:
            count = min(count, self._limit - self.played)
        pieces = list(islice(self._pieces, count))
        self.played += len(pieces)
        if not pieces and next(self._pieces, None) is not None:
            self.finish = Finish.LENGTH
        return pieces


def write_script(ask: Ask) -> Script:
    """The script for `ask`."""
    if (title := title_for(ask.prompt)) is not None:
        return Script(_in(Channel.TEXT, iter([title])), Pace(), max_tokens=ask.max_tokens)
    orders = read_orders(ask.prompt)
    fault = orders.fault.name if orders.fault else ""
    before_fault = max(orders.tokens // 2, 1) if orders.tokens else TOKENS_BEFORE_FAULT
    pieces: Iterator[Piece] = chain(_thoughts(ask, orders), _words(ask, orders))
    finish, max_tokens = Finish.STOP, ask.max_tokens
    match fault:
        case "refusal":
            pieces, finish = _in(Channel.REFUSAL, refusal()), Finish.REFUSAL
        case "filter":
            pieces, finish = islice(pieces, before_fault), Finish.FILTER
        case "length":
            max_tokens = min(before_fault, ask.max_tokens or before_fault)
    return Script(
        pieces=pieces,
        pace=_pace(orders, fault),
        first_token_delay_s=_delay_s(orders, fault),
        finish=finish,
        max_tokens=max_tokens,
        fault=orders.fault,
        tokens_before_fault=before_fault,
    )


def _thoughts(ask: Ask, orders: Orders) -> Iterator[Piece]:
    length = orders.reason or (REASONING_TOKENS if _THINK.search(orders.words) else 0)
    return islice(_in(Channel.REASONING, thoughts(ask, orders)), length)


def _words(ask: Ask, orders: Orders) -> Iterator[Piece]:
    chance = Random(ask.prompt)
    if orders.fault and orders.fault.name == "endless":
        return _in(Channel.TEXT, endless(orders, chance))
    if orders.tokens and orders.echo is None and orders.code is None:
        return _exactly(orders.tokens, endless(orders, chance))
    return _in(Channel.TEXT, answer(ask, orders, chance))


def _in(channel: Channel, passages: Iterator[str]) -> Iterator[Piece]:
    return (Piece(token, channel) for passage in passages for token in tokens(passage))


def _exactly(length: int, passages: Iterator[str]) -> Iterator[Piece]:
    """Whole passages while they fit, then plain words, so that no table or code is cut open."""
    left = length
    for passage in passages:
        pieces = list(tokens(passage))
        if len(pieces) > left:
            break
        left -= len(pieces)
        yield from map(Piece, pieces)
    sentences = chain(["\n\n"] if left < length else [], repeat(_FILLING))
    filling = (token for sentence in sentences for token in tokens(sentence))
    yield from map(Piece, islice(filling, left))


def _pace(orders: Orders, fault: str) -> Pace:
    usual = Pace()
    return Pace(
        tokens_per_s=usual.tokens_per_s if orders.pace is None else orders.pace,
        burst=BURST_TOKENS if fault == "bursts" else usual.burst,
    )


def _delay_s(orders: Orders, fault: str) -> float:
    if orders.delay is not None:
        return orders.delay
    return SLOW_FIRST_TOKEN_DELAY_S if fault == "slow-first" else FIRST_TOKEN_DELAY_S
