"""A variable of the environment, or of a `.env` file → a value that settings can use.

Empty means the default, as compose files leave variables that nobody set. What cannot be meant
raises ImproperlyConfigured with a sentence for the operator, so that nothing starts with it.
Addresses of stores hold passwords, and are not quoted in it.
"""

import re
from collections.abc import Collection
from contextlib import suppress
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

_SWITCH = {
    **dict.fromkeys(("on", "true", "yes", "y", "ok", "1"), True),
    **dict.fromkeys(("off", "false", "no", "n", "0"), False),
}
_STORES = ("sqlite", "postgres", "postgresql", "psql", "pgsql")
_HOST = re.compile(r"\*|[a-z0-9.-]+|\[[0-9a-f:.]+\]", re.IGNORECASE)
_ORIGIN = re.compile(r"https?://[^/?#\s]+", re.IGNORECASE)

_env = environ.Env()


def read_file(path: Path) -> None:
    """Takes what the file says, if there is one, where the environment itself says nothing."""
    _env.read_env(path)


def text(name: str, default: str = "") -> str:
    return _said(name) or default


def words(name: str, default: Collection[str] = ()) -> list[str]:
    """What stands between commas."""
    return [word for word in map(str.strip, _said(name).split(",")) if word] or [*default]


def switch(name: str, *, default: bool) -> bool:
    if not (said := _said(name)):
        return default
    if (found := _SWITCH.get(said.lower())) is None:
        raise _wrong(name, "on or off", said)
    return found


def one_of(name: str, choices: Collection[str], default: str) -> str:
    """One of the words, however it is written."""
    said = _said(name) or default
    for word in choices:
        if word.lower() == said.lower():
            return word
    raise _wrong(name, f"one of {', '.join(choices)}", said)


def whole(name: str, default: int, *, least: int = 0, most: int = 10**9, of: str = "") -> int:
    """A number of things; `of` names them in the sentence."""
    said = _said(name) or str(default)
    if not (said.isascii() and said.isdecimal() and least <= int(said[:20]) <= most):
        kind = f"a whole number of {of}" if of else "a whole number"
        raise _wrong(name, f"{kind} from {least} to {most}", said)
    return int(said)


def limit(name: str, default: int | None = None) -> int | None:
    """How much is allowed. One that is set and empty is none, unlike everything else here."""
    if not _said(name) and (name in _env or default is None):
        return None
    return whole(name, default or 0, most=10**15)


def seconds(name: str, default: float, *, most: float) -> float:
    said = _said(name) or str(default)
    try:
        found = float(said)
    except ValueError:
        found = -1.0
    if not 0 <= found <= most:
        raise _wrong(name, f"a number of seconds from 0 to {most:g}", said)
    return found


def networks(name: str, default: Collection[str]) -> list[IPv4Network | IPv6Network]:
    found: list[IPv4Network | IPv6Network] = []
    for word in words(name, default):
        try:
            found.append(ip_network(word, strict=False))
        except ValueError:
            raise _wrong(name, "networks such as 10.0.0.0/8, with commas between", word) from None
    return found


def hosts(name: str, default: Collection[str]) -> list[str]:
    return _each(name, default, _HOST, "host names without scheme or port, with commas between")


def origins(name: str) -> list[str]:
    return _each(name, (), _ORIGIN, "origins such as https://example.org, with commas between")


def database(name: str, default: Path) -> dict[str, Any]:
    """Django's description of the database at a URL, or of an SQLite file."""
    said = _said(name) or f"sqlite:///{default}"
    scheme, _colon, place = said.partition("://")
    has_stray_host = scheme == "sqlite" and not place.startswith("/")  # it would be left out
    found: dict[str, Any] = {}
    if scheme in _STORES and not has_stray_host:
        with suppress(ValueError):
            found = _env.db_url_config(said)
    if found.get("NAME", "") in ("", ":memory:"):
        raise _wrong(name, "sqlite:///PATH or postgres://USER:PASSWORD@HOST:PORT/NAME")
    return found


def redis_url(name: str) -> str:
    """Empty for no Redis."""
    if said := _said(name):
        from redis.connection import parse_url  # for those alone who use it

        try:
            parse_url(said)  # type: ignore[no-untyped-call]
        except ValueError:
            raise _wrong(name, "a URL such as redis://HOST:PORT/0") from None
    return said


def _said(name: str) -> str:
    value: str = _env.str(name, "")
    return value.strip()


def _each(name: str, default: Collection[str], form: re.Pattern[str], expected: str) -> list[str]:
    found = words(name, default)
    for word in found:
        if not form.fullmatch(word):
            raise _wrong(name, expected, word)
    return found


def _wrong(name: str, expected: str, said: str | None = None) -> ImproperlyConfigured:
    otherwise = "" if said is None else f", not “{said}”"
    return ImproperlyConfigured(f"{name} has to be {expected}{otherwise}.")
