"""`manage.py serve`: the production server."""

import asyncio
import gc
import logging
import os
import sys
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.checks import ERROR, run_checks
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error as DatabaseTrouble

from chatapp.database import is_migrated, read
from chatapp.errors import InvalidInput
from chatapp.failpoints import arm_from_settings
from chatapp.management.arguments import port
from chatapp.rendering.code import warm_up
from chatapp.serving import static_files
from chatapp.serving.alone import claim_database
from chatapp.serving.server import ChatServer

_PATIENCE_S = 5.0


class Command(BaseCommand):
    help = "Serves the chat over HTTP and WebSockets until SIGTERM or Ctrl-C, then drains."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="0.0.0.0", help="address to listen on")
        parser.add_argument("--port", type=port, default=settings.PORT, help="port to listen on")

    def handle(self, *args: Any, **options: Any) -> None:
        if not (settings.DEBUG or settings.DEMO):
            refuse_unsafe_settings()
        claim()
        refuse_unmigrated()
        static_files.prepare()
        host, number = options["host"], options["port"]
        serve(host, number, lambda: f"Listening on http://{host}:{number}/", has_access_log=True)


def refuse_unsafe_settings() -> None:
    """Raises CommandError with every error that `check --deploy` finds."""
    found = run_checks(include_deployment_checks=True)
    errors = [
        f"{message.msg} {message.hint or ''}".strip() for message in found if message.level >= ERROR
    ]
    if errors:
        raise CommandError("\n".join(errors))


def claim() -> None:
    """Takes the database and what FAILPOINTS names for this process, or raises CommandError."""
    try:
        claim_database()
        arm_from_settings()
    except InvalidInput as error:
        raise CommandError(str(error)) from None


def refuse_unmigrated() -> None:
    """Raises CommandError if the database lacks tables or columns; one that does not answer may be
    back before anybody asks for a page."""

    async def lacks_some() -> bool:
        async with asyncio.timeout(_PATIENCE_S):
            return not await read(is_migrated)

    try:
        is_refused = asyncio.run(lacks_some())
    except (TimeoutError, DatabaseTrouble):
        return
    if is_refused:
        raise CommandError("The database lacks migrations: run manage.py migrate first.")


def serve(
    host: str, port: int, greeting: Callable[[], str], *, has_access_log: bool = False
) -> None:
    """Runs the server until it is told to stop; once it listens, prints what `greeting` returns.
    The database has been claimed.

    `greeting` may use the database.
    """
    from chatapp.asgi import application

    async def on_start() -> None:
        from chatapp.database import write
        from chatapp.generation import upkeep

        upkeep.start()
        if settings.DEMO:
            from chatapp.demo.endpoints import start_model

            await start_model()
        print(await write(greeting), flush=True)
        await asyncio.to_thread(warm_up)
        _settle_memory()

    server = ChatServer(
        application,
        host=host,
        port=port,
        drain_s=settings.DRAIN_SECONDS,
        has_access_log=has_access_log,
        on_start=on_start,
    )
    server.run()
    if server.failure:
        raise CommandError(f"The server at {host}:{port} could not start: {server.failure}")
    # A database that does not answer holds up its threads, and Python would wait for them.
    logging.shutdown()
    sys.stdout.flush()
    os._exit(0)


def _settle_memory() -> None:
    """Takes what start-up made out of the collector's sight: its full rounds took 30 ms each."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
