"""A prompt → the commands in it, the words around them, and what was wrong with either.

Commands are plain words with a slash, anywhere in the prompt. `/echo` takes everything after it.
`/fault` counts in the last paragraph only: clients join a message that was never answered with the
next one, which would otherwise fail as well, for ever.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from chatapp.demo.faults import FAULTS, Fault

MAX_PACE = 1_000_000
MAX_TOKENS = 100_000
MAX_DELAY_S = 600
MAX_REASONING_TOKENS = 10_000
REASONING_TOKENS = 80

_ECHO = re.compile(r"(?<!\S)/echo(?:\s|$)")
_WORD = re.compile(r"(?<!\S)/([a-z]+)[.,;:!?]*(?:[ \t]+(?!/)(\S+))?(?!\S)")


@dataclass(frozen=True, slots=True)
class Orders:
    """What the commands ask for; None is "as usual". `words` is the prompt without them."""

    words: str = ""
    help: bool = False
    wire: bool = False
    pace: float | None = None
    delay: float | None = None
    tokens: int | None = None
    reason: int | None = None
    code: int | None = None
    echo: str | None = None
    fault: Fault | None = None
    complaints: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Command:
    """One command. `read` turns its argument into a value or raises ValueError: what it expects."""

    name: str
    argument: str
    about: str
    read: Callable[[str], Any] = field(default=lambda _: True)
    bare: Any = None

    @property
    def usage(self) -> str:
        return f"/{self.name} {self.argument}".strip()


def read_orders(prompt: str) -> Orders:
    """The orders in `prompt`; of a command given twice the last one counts."""
    spoken, echo = _cut_echo(prompt)
    reading = _Reading(prompt)
    words = _WORD.sub(reading.obey, spoken).split()
    complaints = tuple(reading.complaints)
    return Orders(words=" ".join(words), echo=echo, complaints=complaints, **reading.given)


class _Reading:
    """Collects what commands give while they are taken out of the prompt."""

    def __init__(self, prompt: str) -> None:
        self._prompt = prompt
        self.given: dict[str, Any] = {}
        self.complaints: list[str] = []

    def obey(self, match: re.Match[str]) -> str:
        """What stays in the prompt where the command stood."""
        name, word = match[1], match[2] or ""
        if name not in COMMANDS:
            if match.start() == 0:
                self.complaints.append(f"I know no command `/{name}`. `/help` lists those I know.")
            return match[0]
        if name == "fault" and self._is_of_an_earlier_message(match):
            return ""
        argument = word.rstrip(".,;:!?")
        try:
            self.given[name], rest = _value(COMMANDS[name], argument, word)
        except ValueError as expected:
            self.complaints.append(_complaint(name, argument, str(expected)))
            return ""
        return rest

    def _is_of_an_earlier_message(self, match: re.Match[str]) -> bool:
        return "\n\n" in self._prompt[match.end() :].rstrip()


def _cut_echo(prompt: str) -> tuple[str, str | None]:
    if match := _ECHO.search(prompt):
        return prompt[: match.start()], prompt[match.end() :]
    return prompt, None


def _value(command: Command, argument: str, word: str) -> tuple[Any, str]:
    """The command's value, and the word after it if that is no argument but part of the prompt."""
    if not command.argument:
        return command.bare, word
    if command.bare is None:
        return command.read(argument), ""
    try:
        return command.read(argument), ""
    except ValueError:
        return command.bare, word


def _complaint(name: str, argument: str, expected: str) -> str:
    got = f"`{argument.replace('`', '')}`" if argument.strip("`") else "nothing"
    return f"`/{name}` takes {expected}. I got {got}, so I left it out."


def _number(least: float, most: float, unit: str) -> Callable[[str], float]:
    def read(argument: str) -> float:
        try:
            number = float(argument)
        except ValueError:
            number = float("nan")
        if not (isfinite(number) and least <= number <= most):
            raise ValueError(f"{unit}: a number from {least:g} to {most:,}")
        return number

    return read


def _count(most: int, unit: str) -> Callable[[str], int]:
    number = _number(1, most, unit)

    def read(argument: str) -> int:
        return int(number(argument))

    return read


def _pace(argument: str) -> float:
    if argument == "max":
        return 0.0
    try:
        return _number(0, MAX_PACE, "tokens per second")(argument)
    except ValueError as expected:
        raise ValueError(f"{expected}, or `max`") from None


def _fault(argument: str) -> Fault:
    if argument not in FAULTS:
        raise ValueError("the name of a fault, one of " + ", ".join(f"`{name}`" for name in FAULTS))
    return FAULTS[argument]


_ALL = (
    Command("help", "", "this page", bare=True),
    Command("pace", "N", "N tokens per second; `0` or `max`: as fast as it goes", _pace),
    Command("delay", "S", "S seconds until the first token", _number(0, MAX_DELAY_S, "seconds")),
    Command("tokens", "N", "exactly N tokens", _count(MAX_TOKENS, "a length in tokens")),
    Command("reason", "[N]", "N tokens of reasoning first",
            _count(MAX_REASONING_TOKENS, "a length in tokens"), REASONING_TOKENS),
    Command("code", "N", "one block of N lines of code", _count(MAX_TOKENS, "a number of lines")),
    Command("echo", "TEXT", "exactly the text that follows"),
    Command("wire", "", "all that came over the wire", bare=True),
    Command("fault", "NAME", "something goes wrong", _fault),
)  # fmt: skip

COMMANDS: Mapping[str, Command] = {command.name: command for command in _ALL}
