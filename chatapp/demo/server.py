"""HTTP requests on loopback → scripted answers in four protocols.

Lives in the event loop of whoever starts it, beside a web server or within a test: it never
blocks, handles no signals and writes no access log.
"""

import json

from aiohttp import web
from aiohttp.typedefs import Handler

from chatapp.demo.answers import LABEL
from chatapp.demo.anthropic import Anthropic
from chatapp.demo.ask import read_ask
from chatapp.demo.cerebrium import Cerebrium
from chatapp.demo.openai import OpenAI
from chatapp.demo.script import write_script
from chatapp.demo.stage import failed, perform
from chatapp.demo.truss import Truss
from chatapp.demo.wire import Wire

MAX_REQUEST_BYTES = 64 * 1024 * 1024
BACKLOG = 1024  # hundreds of streams may begin in one instant

_SHUTDOWN_TIMEOUT_S = 0.01  # zero would mean to wait for the last word of every answer

WIRES: dict[str, type[Wire]] = {w.protocol: w for w in (OpenAI, Anthropic, Truss, Cerebrium)}
PROTOCOLS = tuple(WIRES)


class DemoServer:
    """A scripted model that is listening."""

    def __init__(self, host: str, port: int, runner: web.AppRunner, theatre: "_Theatre") -> None:
        self.host = host
        self.port = port
        self._runner = runner
        self._theatre = theatre

    @property
    def playing(self) -> int:
        """How many answers are being told right now."""
        return self._theatre.playing

    def url(self, protocol: str) -> str:
        """The base URL to store in an endpoint of `protocol`."""
        return f"http://{self.host}:{self.port}{WIRES[protocol].base}"

    async def stop(self) -> None:
        """Breaks off what is being told and frees the port."""
        await self._runner.cleanup()


async def start(host: str = "127.0.0.1", port: int = 0) -> DemoServer:
    """Listens on `host`; port 0 takes a free one. Raises OSError if the port is taken."""
    theatre = _Theatre()
    runner = web.AppRunner(
        theatre.application(),
        access_log=None,
        handle_signals=False,
        handler_cancellation=True,
        shutdown_timeout=_SHUTDOWN_TIMEOUT_S,
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, backlog=BACKLOG).start()
    except OSError:
        await runner.cleanup()
        raise
    return DemoServer(host, runner.addresses[0][1], runner, theatre)


class _Theatre:
    """The routes, and how many answers are being told."""

    def __init__(self) -> None:
        self.playing = 0

    def application(self) -> web.Application:
        application = web.Application(client_max_size=MAX_REQUEST_BYTES)
        application.router.add_get("/health", self._health)
        for wire in WIRES.values():
            application.router.add_post(wire.base + wire.path, self._ask_over(wire))
        return application

    async def _health(self, request: web.Request) -> web.Response:
        return web.json_response({"model": LABEL})

    def _ask_over(self, wire: type[Wire]) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            self.playing += 1
            try:
                return await _answer(request, wire)
            finally:
                self.playing -= 1

        return handle


async def _answer(request: web.Request, wire: type[Wire]) -> web.StreamResponse:
    try:
        body = json.loads(await request.read())
        ask = read_ask(wire.protocol, body, streams_unasked=wire.streams_unasked)
    except ValueError as problem:
        return failed(wire, 400, f"Invalid JSON payload: {problem}")
    return await perform(request, wire(ask), write_script(ask))
