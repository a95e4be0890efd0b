"""Records of log → lines, as JSON for machines or as text, that tell no key and no prompt.

Keys: whatever is known or looks like one is crossed out of every string of a line. Prompts: nothing
of ours puts one into a message, so what is left are the words of exceptions, which may quote the
data that they met. Those whose words speak of code and machines alone are told; of others their
kind and the way they went. DEBUG tells them all.
"""

import json
import logging
import os
import re
import secrets
import traceback
from collections.abc import Callable, Collection, Iterator, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import quote
from uuid import UUID

HIDDEN = "[hidden]"
LEFT_OUT = "its words are left out"


class Ids(NamedTuple):
    """What a line belongs to; empty where it belongs to none."""

    request: str = ""
    generation: str = ""


NOTHING = Ids()
current: ContextVar[Ids] = ContextVar("ids", default=NOTHING)


def begin_request(given: str | None) -> str:
    """From here on lines belong to the request: `given` if it is well-formed, else a new id."""
    request = given if given and _WELL_FORMED.fullmatch(given) else secrets.token_hex(8)
    current.set(Ids(request))
    return request


def of_generation(reply_id: UUID) -> Ids:
    """The ids of what makes this reply, for the request at hand."""
    return current.get()._replace(generation=str(reply_id))


class Line(logging.Formatter):
    """What both kinds of lines are made of.

    `secrets` are crossed out besides what the environment's *_API_KEY and *_TOKEN hold;
    `tells_all` tells the words of every exception.
    """

    def __init__(self, secrets: Collection[str] = (), *, tells_all: bool = False) -> None:
        super().__init__()
        self._tells_all = tells_all
        self._secret = _secret({*secrets, *_keys_in(os.environ)})

    def clean(self, text: str) -> str:
        """The text without what is secret."""
        return self._secret.sub(_crossed_out, text)

    def message(self, record: logging.LogRecord) -> str:
        try:
            text = str(self._told(record.msg))
            text = text % _each(self._told, record.args) if record.args else text
        except (TypeError, ValueError, KeyError):
            text = f"{record.msg} (its arguments do not fit)"
        # asyncio adds what a task was, and with it the words of what it raised.
        return self.clean(text.partition("\n")[0] if record.name == "asyncio" else text)

    def trace(self, record: logging.LogRecord) -> str:
        """How it came to this, empty if nothing was raised."""
        error = record.exc_info[1] if record.exc_info else None
        parts = [*self._way(error, set())] if error else []
        return self.clean("\n".join([*parts, record.stack_info or ""]).strip("\n"))

    def _told(self, value: Any) -> Any:
        return self._words(value) if isinstance(value, BaseException) else value

    def _words(self, error: BaseException) -> str:
        kind, words = type(error).__qualname__, str(error)
        if self._tells_all:
            return f"{kind}: {words}"
        if isinstance(error, _OF_CODE) or _OF_MACHINES & {c.__name__ for c in type(error).mro()}:
            return f"{kind}: {words.partition(chr(10))[0]}"
        return f"{kind} ({LEFT_OUT})" if words else kind

    def _way(self, error: BaseException, known: set[int]) -> Iterator[str]:
        known.add(id(error))
        before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        if before is not None and id(before) not in known:
            yield from self._way(before, known)
            yield "which led to"
        yield "".join(traceback.format_tb(error.__traceback__)).rstrip("\n")
        yield self._words(error)
        for inner in getattr(error, "exceptions", ()):
            yield "within it"
            yield from self._way(inner, known)


class Text(Line):
    """For people: one line, and the way of an exception below it."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created).isoformat(" ", "milliseconds")
        ids = "".join(
            f" {name[0]}={value}" for name, value in current.get()._asdict().items() if value
        )
        message = self.message(record).translate(_ONE_LINE)
        line = f"{at} {record.levelname} {record.name}{ids} {message}"
        return "\n".join(part for part in (line, self.trace(record)) if part)


class Json(Line):
    """For machines: one object a line."""

    def format(self, record: logging.LogRecord) -> str:
        told = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": self.message(record),
            **current.get()._asdict(),
            "trace": self.trace(record),
        }
        return json.dumps({name: value for name, value in told.items() if value})


class NoProbes(logging.Filter):
    """Leaves out that /readyz said no: it is what it was asked for, and no error."""

    def filter(self, record: logging.LogRecord) -> bool:
        return getattr(getattr(record, "request", None), "path", "") != "/readyz"


FORMATS = {"text": Text, "json": Json}

_WELL_FORMED = re.compile(r"[A-Za-z0-9._:-]{8,64}")
_ONE_LINE = {code: repr(chr(code))[1:-1] for code in [*range(32), 127, 0x85, 0x2028, 0x2029]}

# The interpreter's own words about names, files and connections. A TypeError is none of them:
# Django tells with it what it found instead of a number.
_OF_CODE = (OSError, NameError, AttributeError, ImportError, ArithmeticError, UnicodeError)
# The first lines of databases, Redis and HTTP; what PostgreSQL adds below them quotes rows.
_OF_MACHINES = {
    "OperationalError",
    "InterfaceError",
    "IntegrityError",
    "ProgrammingError",
    "ConnectionError",
    "TimeoutError",
    "PoolTimeout",
}

_LEAST_CHARS = 8
_LOOKS_SECRET = r"""
    \bsk-[\w-]{8,}
    | (?P<scheme> \b(?:Bearer|Api-Key|Basic)\s+ ) [^\s"',;]+
    | (?P<header> \b(?:(?:set-)?cookie|(?:proxy-)?authorization|x-api-key|api-key)
        (?: ["']?\s*[:=]\s* | ["'],\s* ) b?["']? ) [^"'\r\n]+
    | (?P<cookie> \b(?:sessionid|csrftoken)= ) [^\s"';]+
    | (?P<place> ://[^/\s:@]*: ) [^/\s@]+ (?=@)
"""


def _keys_in(environment: Mapping[str, str]) -> Iterator[str]:
    for name, value in environment.items():
        if name.endswith(("_API_KEY", "_TOKEN")):
            yield value


def _secret(values: Collection[str]) -> re.Pattern[str]:
    """What is too short to be one would cross out ordinary words."""
    known = {
        form for value in values if len(value) >= _LEAST_CHARS for form in (value, quote(value, ""))
    }
    longest_first = sorted(known, key=len, reverse=True)
    pattern = "|".join([*map(re.escape, longest_first), _LOOKS_SECRET])
    return re.compile(pattern, re.VERBOSE | re.IGNORECASE)


def _crossed_out(found: re.Match[str]) -> str:
    """The name of what it was stays."""
    return (found[found.lastgroup] if found.lastgroup else "") + HIDDEN


def _each(told: Callable[[Any], Any], args: Any) -> Any:
    if isinstance(args, Mapping):
        return {name: told(value) for name, value in args.items()}
    return tuple(map(told, args))
