"""The faults that happen on the wire: instead of an answer, or in the middle of one.

Faults of other kinds need no code here: statuses are told in `stage`, codings in `stream`, and what
a model itself may do (refuse, stop early, never stop) is written into the script.
"""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from chatapp.demo.stream import Stream
from chatapp.demo.wire import Wire

_RST_ON_CLOSE = struct.pack("ii", 1, 0)  # struct linger: on, for zero seconds
_HTML = "<!doctype html><title>Sign in</title><h1>Please sign in</h1>"


async def _hang(request: web.Request, wire: Wire) -> web.StreamResponse:
    await _until_the_client_leaves()
    return web.Response()


async def _reset(request: web.Request, wire: Wire) -> web.StreamResponse:
    if (transport := request.transport) is not None:
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RST_ON_CLOSE)
        transport.abort()
    return web.Response()


async def _redirect(request: web.Request, wire: Wire) -> web.StreamResponse:
    return web.Response(status=307, headers={"Location": "/elsewhere"})


async def _html(request: web.Request, wire: Wire) -> web.StreamResponse:
    return web.Response(text=_HTML, content_type="text/html")


async def _empty(request: web.Request, wire: Wire) -> web.StreamResponse:
    response = Stream(wire, None)
    await response.prepare(request)
    return response


async def _cut(request: web.Request, response: Stream, wire: Wire) -> None:
    """Nothing more to say: the body ends properly."""


async def _abort(request: web.Request, response: Stream, wire: Wire) -> None:
    if request.transport is not None:
        request.transport.abort()


async def _stall(request: web.Request, response: Stream, wire: Wire) -> None:
    await _until_the_client_leaves()


async def _error(request: web.Request, response: Stream, wire: Wire) -> None:
    await response.say(wire.failure("The model raised an exception (scripted fault)."))


async def _nonsense(request: web.Request, response: Stream, wire: Wire) -> None:
    await response.say(wire.nonsense())


async def _until_the_client_leaves() -> None:
    await asyncio.get_running_loop().create_future()


Instead = Callable[[web.Request, Wire], Awaitable[web.StreamResponse]]
INSTEAD: Mapping[str, Instead] = {
    "hang": _hang,
    "reset": _reset,
    "redirect": _redirect,
    "html": _html,
    "empty": _empty,
}
Strike = Callable[[web.Request, Stream, Wire], Awaitable[None]]
STRIKES: Mapping[str, Strike] = {
    "cut": _cut,
    "abort": _abort,
    "stall": _stall,
    "error": _error,
    "json": _nonsense,
}
