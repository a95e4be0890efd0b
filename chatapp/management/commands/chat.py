"""`manage.py chat`: one prompt to one endpoint, its answer in the terminal as it arrives."""

import asyncio
import signal
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from chatapp.errors import InvalidInput, Kind, Problem
from chatapp.generation.calls import target_of
from chatapp.generation.turns import check_text
from chatapp.management.arguments import (
    add_target_arguments,
    check,
    endpoint_named,
    migrated,
    parse_options,
)
from chatapp.management.terminal import EXIT_CODES, print_answer, print_failure
from chatapp.models import Endpoint
from chatapp.upstream.contract import Prompt, Target, Turn

_DESCRIPTION = ("protocol", "url", "model", "api_key_env", "option")


class Command(BaseCommand):
    help = "Streams an answer to the terminal; Ctrl-C stops the upstream."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("prompt", help="the prompt, or - to read it from standard input")
        parser.add_argument("--endpoint", metavar="NAME", help="a stored endpoint; else the first")
        parser.add_argument("--system", default="", help="a system prompt")
        parser.add_argument("--json", action="store_true", help="one JSON object a line")
        add_target_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        # A reader such as `head` that has had enough ends us quietly, and the upstream with us.
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        text = _typed() if options["prompt"] == "-" else options["prompt"]
        try:
            prompt, target = _prompt(text, options["system"]), _target(options)
        except (InvalidInput, CommandError) as error:
            if not options["json"]:
                raise CommandError(str(error)) from None
            problem = Problem(Kind.BAD_REQUEST, str(error))
            raise SystemExit(print_failure(problem)) from None
        raise SystemExit(asyncio.run(print_answer(target, prompt, as_json=options["json"])))


def _typed() -> str:
    try:
        return sys.stdin.read()
    except KeyboardInterrupt:
        raise SystemExit(EXIT_CODES["stopped"]) from None


def _prompt(text: str, system: str) -> Prompt:
    check_text(text)
    return Prompt((Turn("user", text),), system=system)


def _target(options: dict[str, Any]) -> Target:
    described = [name for name in _DESCRIPTION if options[name]]
    if options["endpoint"] is not None:
        if described:
            raise CommandError(f"--endpoint says it all: leave out {_flags(described)}.")
        with migrated():
            return target_of(endpoint_named(options["endpoint"]))
    if described:
        if missing := [name for name in ("protocol", "url") if not options[name]]:
            raise CommandError(f"{_flags(described)} alone is no endpoint: add {_flags(missing)}.")
        return target_of(_described(options))
    with migrated():
        endpoint = Endpoint.objects.filter(enabled=True).first()
    if endpoint is None:
        raise CommandError("Name an --endpoint, or give --protocol and --url.")
    return target_of(endpoint)


def _described(options: dict[str, Any]) -> Endpoint:
    endpoint = Endpoint(
        name="command line",
        protocol=options["protocol"],
        url=options["url"],
        model=options["model"] or "",
        api_key_env=options["api_key_env"] or "",
        options=parse_options(options["option"]),
    )
    check(endpoint)
    return endpoint


def _flags(names: list[str]) -> str:
    return ", ".join(f"--{name.replace('_', '-')}" for name in names)
