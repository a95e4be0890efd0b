"""The production server: Daphne on uvloop, with back-pressure, 1012 on shutdown and a drain.

This module must be imported before anything that imports Twisted's reactor: the loop it chooses is
the one that the reactor takes.
"""

import asyncio
import logging
import sys
import time
from collections.abc import Awaitable, Callable
from functools import partial
from io import BytesIO
from types import ModuleType
from typing import Any

import uvloop

# TLS ends at the proxy. Twisted works without its own, which would take 6 MiB of each process, and
# Autobahn without WAMP's sign-in, sessions and encoding, 2 MiB more: nothing here speaks it.
sys.modules.setdefault("OpenSSL", None)  # type: ignore[arg-type]
sys.modules.setdefault("cbor2", None)  # type: ignore[arg-type]
sys.modules.setdefault("autobahn.wamp.auth", ModuleType("autobahn.wamp.auth"))
_wamp = sys.modules.setdefault("autobahn.twisted.wamp", ModuleType("autobahn.twisted.wamp"))
vars(_wamp).setdefault("ApplicationSession", object)

asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())

# Python lets a thread that queries the database run for 5 ms while tokens wait for the event loop.
sys.setswitchinterval(0.0005)

from daphne.server import Server  # noqa: E402 - takes the loop policy set above
from twisted.internet import defer, reactor  # noqa: E402

from chatapp.generation import registry, upkeep  # noqa: E402
from chatapp.serving.access_log import log_access  # noqa: E402
from chatapp.serving.bounded_request import BoundedRequest  # noqa: E402
from chatapp.upstream.http import close_client  # noqa: E402

logger = logging.getLogger(__name__)

SERVICE_RESTART = 1012
MAX_MESSAGE_BYTES = 256 * 1024
UNREAD_BYTES = 256 * 1024
UNREAD_LIMIT_S = 20.0
BODY_PIECE_BYTES = 64 * 1024


class ChatServer(Server):  # type: ignore[misc]
    """Daphne's server, minding readers that do not read and replies that are still running."""

    def __init__(
        self,
        application: Any,
        *,
        host: str,
        port: int,
        drain_s: float,
        has_access_log: bool,
        on_start: Callable[[], Awaitable[None]],
    ) -> None:
        super().__init__(
            _with_bodies(application),
            endpoints=[f"tcp:port={port}:interface={host.replace(':', chr(92) + ':')}"],
            ping_interval=10,
            ping_timeout=15,
            websocket_timeout=-1,
            websocket_max_message_size=MAX_MESSAGE_BYTES,
            websocket_max_frame_size=MAX_MESSAGE_BYTES,
            server_name="chatapp",
            action_logger=log_access if has_access_log else None,
            ready_callable=lambda: _soon(self._start(on_start)),
        )
        self._drain_s = drain_s
        self.failure = ""

    async def _start(self, on_start: Callable[[], Awaitable[None]]) -> None:
        # A frame that is too large or malformed gets a closing code, not a broken connection.
        self.ws_factory.setProtocolOptions(failByDrop=False)
        self.http_factory.buildProtocol = partial(_build, self.http_factory.buildProtocol)
        try:
            await on_start()
        except Exception as error:
            logger.exception("the server could not start")
            self._fail(str(error))

    def listen_error(self, failure: Any) -> None:
        self._fail(failure.getErrorMessage())

    def _fail(self, reason: str) -> None:
        self.failure = reason
        self.stop()

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        """Daphne would put the whole body into memory at once; the application gets it in pieces,
        as it asks for them."""
        if scope["type"] == "http":
            scope["chatapp.body"], protocol.content = protocol.content, BytesIO()
        return super().create_application(protocol, scope)

    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        if message["type"] != "websocket.send":
            await super().handle_reply(protocol, message)
            if message.get("more_body") and protocol.channel is not None:
                await _until_taken(protocol)
            return
        if self.connections.get(protocol, _GONE).get("disconnected"):
            return
        _send_text(protocol, message["text"])
        if _unread(protocol) > UNREAD_BYTES:
            await _until_read(protocol)

    def kill_all_applications(self) -> Any:
        """Twisted waits for this before it stops: tell the readers, let the replies end."""
        registry.refuse_more()
        for listener in self.listeners:
            listener.addCallback(lambda port: port.stopListening())
        for protocol in list(self.connections):
            if hasattr(protocol, "sendCloseFrame"):
                _send_back(protocol)
        return defer.Deferred.fromFuture(_soon(self._drain()))

    async def _drain(self) -> None:
        await registry.drain(self._drain_s)
        instances = [details.get("application_instance") for details in self.connections.values()]
        pending = [instance for instance in instances if instance and not instance.done()]
        for instance in pending:
            instance.cancel()
        if pending:
            await asyncio.wait(pending, timeout=2)
        await upkeep.stop()
        await close_client()


_GONE = {"disconnected": True}


def _build(build: Callable[[Any], Any], address: Any) -> Any:
    """Daphne's factory names its own class of requests for every connection."""
    protocol = build(address)
    protocol.requestFactory = BoundedRequest
    return protocol


def _with_bodies(application: Any) -> Any:
    """Hands the application the body that `create_application` kept, a piece at a time."""

    async def answer(scope: dict[str, Any], receive: Any, send: Any) -> None:
        body = scope.pop("chatapp.body", None)
        if body is None:
            await application(scope, receive, send)
            return
        is_whole = False

        async def receive_body() -> Any:
            nonlocal is_whole
            if is_whole:
                return await receive()
            await asyncio.sleep(0)
            piece = body.read(BODY_PIECE_BYTES)
            is_whole = len(piece) < BODY_PIECE_BYTES
            if is_whole:
                await receive()  # Daphne's own, which is empty now
            return {"type": "http.request", "body": piece, "more_body": not is_whole}

        with body:
            await application(scope, receive_body, send)

    return answer


def _send_back(protocol: Any) -> None:
    """Makes a browser come back, to another process if there is one."""
    if protocol.state == protocol.STATE_CONNECTING:
        # There are no frames yet, and autobahn raises, which would cost the replies their drain.
        protocol.transport.abortConnection()
    else:
        # autobahn's sendClose refuses the code that tells browsers to come back.
        protocol.sendCloseFrame(code=SERVICE_RESTART)


def _send_text(protocol: Any, text: str) -> None:
    """Writes one unmasked text frame (RFC 6455, section 5.2).

    autobahn's own way costs three times as much, and it holds what we send to the limit that is
    meant for what we receive.
    """
    if protocol.state != protocol.STATE_OPEN:
        return
    payload = text.encode()
    size = len(payload)
    if size < 126:
        head = bytes((0x81, size))
    elif size < 1 << 16:
        head = b"\x81\x7e" + size.to_bytes(2, "big")
    else:
        head = b"\x81\x7f" + size.to_bytes(8, "big")
    _write_now(protocol.transport, head + payload)


def _write_now(transport: Any, data: bytes) -> None:
    """Writes without waiting for the reactor's next round, if nothing waits before it.

    Twisted would register the socket for writing and take it out again with every frame.
    """
    if transport in reactor._writers or not transport.connected or transport.disconnecting:
        transport.write(data)
        return
    transport._tempDataBuffer.append(data)
    transport._tempDataLen += len(data)
    if transport.doWrite() is not None or _waiting(transport):
        transport.startWriting()


def _soon(work: Awaitable[None]) -> "asyncio.Future[None]":
    return asyncio.ensure_future(work, loop=reactor._asyncioEventloop)


def _unread(protocol: Any) -> int:
    """Bytes that wait in the process because the reader's network or tab is slow."""
    transport = getattr(protocol, "transport", None)
    return _waiting(transport) if transport is not None else 0


def _waiting(transport: Any) -> int:
    waiting: int = len(transport.dataBuffer) - transport.offset + transport._tempDataLen
    return waiting


async def _until_taken(request: Any) -> None:
    """Returns when a download's reader has caught up, so that what is made while it is sent does
    not pile up here; drops one that has taken nothing for 20 s."""
    waiting, deadline = -1, 0.0
    while (channel := request.channel) is not None:
        left, waiting = waiting, _waiting(channel.transport)
        if waiting <= UNREAD_BYTES:
            return
        if waiting != left:
            deadline = time.monotonic() + UNREAD_LIMIT_S
        elif time.monotonic() > deadline:
            channel.transport.abortConnection()
            return
        await asyncio.sleep(0.05)


async def _until_read(protocol: Any) -> None:
    """Returns when the reader has caught up; drops it if it does not within 20 s."""
    deadline = time.monotonic() + UNREAD_LIMIT_S
    while _unread(protocol) > UNREAD_BYTES:
        if time.monotonic() > deadline:
            protocol.dropConnection(abort=True)
            return
        await asyncio.sleep(0.05)
