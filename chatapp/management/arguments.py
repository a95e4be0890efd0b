"""What describes an endpoint on a command line → an endpoint that can be called."""

import json
from argparse import ArgumentTypeError
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser
from django.db import Error as DatabaseTrouble

from chatapp.errors import InvalidInput
from chatapp.generation.calls import check_endpoint
from chatapp.models import Endpoint


def add_target_arguments(parser: CommandParser) -> None:
    """What describes an endpoint on a command line."""
    parser.add_argument("--protocol", choices=Endpoint.Protocol.values)
    parser.add_argument("--url")
    parser.add_argument("--model")
    parser.add_argument("--api-key-env", metavar="VAR", help="name of the key's variable")
    parser.add_argument("--option", action="append", default=[], metavar="K=V")


def parse_options(pairs: list[str]) -> dict[str, Any]:
    """`["framing=sse", "max_tokens=256"]` → a dict; values are JSON where they can be."""
    options: dict[str, Any] = {}
    for pair in pairs:
        name, is_pair, value = pair.partition("=")
        if not name or not is_pair:
            raise CommandError(f"Expected --option NAME=VALUE, got {pair!r}.")
        try:
            options[name] = json.loads(value)
        except ValueError:
            options[name] = value
    return options


def check(endpoint: Endpoint) -> None:
    """Raises CommandError with a sentence for the terminal unless the endpoint can be called."""
    try:
        endpoint.clean_fields()
        check_endpoint(endpoint)
    except ValidationError as error:
        lines = (f"{name}: {' '.join(texts)}" for name, texts in error.message_dict.items())
        raise CommandError("\n".join(lines)) from None
    except InvalidInput as error:
        raise CommandError(str(error)) from None


def endpoint_named(name: str) -> Endpoint:
    """The stored endpoint; its absence is an error that lists those there are."""
    endpoint = Endpoint.objects.filter(name=name).first()
    if endpoint is None:
        names = ", ".join(Endpoint.objects.values_list("name", flat=True)) or "none yet"
        raise CommandError(f"There is no endpoint named {name!r}. Endpoints: {names}.")
    return endpoint


def port(text: str) -> int:
    """The type of an argument."""
    if not (text.isdecimal() and 1 <= int(text[:6]) <= 65535):
        raise ArgumentTypeError(f"a port is a whole number from 1 to 65535, not “{text}”")
    return int(text)


@contextmanager
def migrated() -> Iterator[None]:
    """A context in which a database without our tables is said to be so, without a traceback."""
    try:
        yield
    except DatabaseTrouble as error:
        raise CommandError(
            f"The database cannot be used ({error}). Has manage.py migrate been run?"
        ) from None
