"""`manage.py endpoint set | list | test | remove`: the endpoints, from the terminal."""

import asyncio
from copy import copy
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from chatapp.errors import InvalidInput
from chatapp.generation.calls import SHORT, target_to_try
from chatapp.management.arguments import (
    add_target_arguments,
    check,
    endpoint_named,
    migrated,
    parse_options,
)
from chatapp.management.terminal import print_answer
from chatapp.models import Endpoint


class Command(BaseCommand):
    help = "Sets, lists, tests and removes model endpoints."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="do", required=True, metavar="set|list|test|remove")
        setting = actions.add_parser("set", help="add an endpoint, or change it")
        setting.add_argument("name")
        add_target_arguments(setting)
        setting.add_argument("--enable", action="store_true", default=None, dest="enabled")
        setting.add_argument("--disable", action="store_false", dest="enabled")
        setting.add_argument("--order", type=int, dest="position", help="low numbers come first")
        actions.add_parser("list", help="list the endpoints")
        for do, text in (("test", "stream a short prompt"), ("remove", "remove an endpoint")):
            actions.add_parser(do, help=text).add_argument("name")

    def handle(self, *args: Any, **options: Any) -> None:
        with migrated():
            getattr(self, f"_{options['do']}")(options)

    def _set(self, options: dict[str, Any]) -> None:
        stored = Endpoint.objects.filter(name=options["name"]).first()
        endpoint = copy(stored) if stored else Endpoint(name=options["name"])
        for field in ("protocol", "url", "model", "api_key_env", "enabled", "position"):
            if options[field] is not None:
                setattr(endpoint, field, options[field])
        if options["option"]:
            endpoint.options = parse_options(options["option"])
        if stored and options["api_key_env"] is None and endpoint.takes_key_elsewhere(stored):
            raise CommandError(
                f"The key in {stored.api_key_env} would go to another address: "
                'name its variable again with --api-key-env, or none with --api-key-env "".'
            )
        check(endpoint)
        endpoint.save()
        self.stdout.write(f"Endpoint {endpoint.name} is set: {endpoint.protocol} {endpoint.url}")

    def _list(self, options: dict[str, Any]) -> None:
        endpoints = Endpoint.objects.all()
        if not endpoints:
            self.stdout.write("No endpoints yet; add one with manage.py endpoint set.")
        for endpoint in endpoints:
            state = "enabled " if endpoint.enabled else "disabled"
            model = f"  {endpoint.model}" if endpoint.model else ""
            self.stdout.write(
                f"{state}  {endpoint.protocol:<9}  {endpoint.name}  {endpoint.url}{model}"
            )

    def _test(self, options: dict[str, Any]) -> None:
        try:
            target = target_to_try(endpoint_named(options["name"]))
        except InvalidInput as error:
            raise CommandError(str(error)) from None
        code = asyncio.run(print_answer(target, SHORT, as_json=False, with_timing=True))
        if code:
            raise SystemExit(code)

    def _remove(self, options: dict[str, Any]) -> None:
        endpoint_named(options["name"]).delete()
        self.stdout.write(f"Endpoint {options['name']} is removed.")
