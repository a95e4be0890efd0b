"""An httpx2 request in → its response out, over aiohttp's connections and its parser in C.

httpx2's own transport costs about twice the CPU for each token. Here every network read is handed
on whole, a response that is closed midway closes its connection at once, and aiohttp's exceptions
become httpx2's:

    httpx2.ConnectTimeout           no connection in time: name, TCP and TLS together
    httpx2.ConnectError
    ├── NameNotFound                no address for this name
    ├── ConnectionRefused           nobody listens there
    ├── InsecureConnection          no TLS, or a certificate that does not hold
    └── ForbiddenAddress            a URL or an address that may not be called, see `addresses.py`
    httpx2.ReadTimeout              silence for longer than the request's `read` timeout
    httpx2.RemoteProtocolError      closed without an answer, a broken body, or not HTTP
    httpx2.ReadError                the connection broke
"""

import errno
import socket
import ssl
from collections.abc import AsyncIterator
from functools import lru_cache
from typing import Any

import aiohttp
import httpx2
from aiohttp.abc import AbstractResolver, ResolveResult
from django.utils.translation import gettext as _
from yarl import URL

from chatapp.errors import InvalidInput
from chatapp.upstream.addresses import (
    carried_ipv4,
    check_addresses,
    check_url,
    is_forbidden,
    literal,
)


class NameNotFound(httpx2.ConnectError):
    """The host's name has no address."""


class ConnectionRefused(httpx2.ConnectError):
    """The host is there but nobody listens on the port."""


class InsecureConnection(httpx2.ConnectError):
    """TLS could not be agreed on, or the certificate is not valid for the host."""


class ForbiddenAddress(httpx2.ConnectError):
    """The URL, or an address of its host, may not be called; `str()` is why, for people."""


class _Refused(PermissionError):
    """The resolver's word for addresses that may not be connected to."""

    def __init__(self, sentence: str) -> None:
        super().__init__(errno.EACCES, sentence)
        self.sentence = sentence


# The first that fits; the order is from the special to the general.
_ERRORS: tuple[tuple[type[Exception], type[httpx2.TransportError]], ...] = (
    (aiohttp.ConnectionTimeoutError, httpx2.ConnectTimeout),
    (TimeoutError, httpx2.ReadTimeout),
    (aiohttp.ClientConnectorDNSError, NameNotFound),
    (aiohttp.ClientConnectorCertificateError, InsecureConnection),
    (aiohttp.ClientSSLError, InsecureConnection),
    (aiohttp.ClientConnectorError, httpx2.ConnectError),
    (aiohttp.InvalidURL, httpx2.UnsupportedProtocol),
    (aiohttp.ServerDisconnectedError, httpx2.RemoteProtocolError),
    (aiohttp.ClientPayloadError, httpx2.RemoteProtocolError),
    (aiohttp.ClientResponseError, httpx2.RemoteProtocolError),
    (Exception, httpx2.ReadError),
)
_BY_ERRNO: dict[int, type[httpx2.ConnectError]] = {
    errno.ECONNREFUSED: ConnectionRefused,
}


class AiohttpTransport(httpx2.AsyncBaseTransport):
    """Belongs to the event loop it was made in. A response's extensions hold its `connection`."""

    def __init__(self, resolver: AbstractResolver | None = None) -> None:
        """`resolver` is who knows the addresses of names, by default the system."""
        connector = aiohttp.TCPConnector(
            resolver=CheckedResolver(resolver or aiohttp.ThreadedResolver()),
            limit=0,  # waiting for a free connection would be a queue that nobody sees
            keepalive_timeout=30,
            ssl=_tls(),
            socket_factory=_open_socket,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
        )

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        try:
            check_url(request.url)
        except InvalidInput as refusal:
            raise ForbiddenAddress(str(refusal)) from None
        try:
            response = await self._session.request(
                request.method,
                # Encoded already: the path goes out byte for byte as it was given.
                URL(str(request.url), encoded=True),
                headers=request.headers.multi_items(),
                data=await request.aread() or None,
                allow_redirects=False,
                timeout=_timeout(request.extensions.get("timeout", {})),
            )
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _httpx_error(error) from error
        body = _Body(response)
        return httpx2.Response(
            response.status,
            headers=response.raw_headers,
            stream=body,
            extensions={"http_version": b"HTTP/1.1", "connection": body},
        )

    async def aclose(self) -> None:
        await self._session.close()


class CheckedResolver(AbstractResolver):
    """A name → its addresses, all of which may be connected to: the connection goes to one of
    them, so nobody is asked about the name a second time."""

    def __init__(self, resolver: AbstractResolver) -> None:
        self._resolver = resolver

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._resolver.resolve(host, port, family)
        addresses = [literal(result["host"]) for result in found]
        try:
            check_addresses(host, port, filter(None, addresses))
        except InvalidInput as refusal:
            raise _Refused(str(refusal)) from None
        return found

    async def close(self) -> None:
        await self._resolver.close()


class _Body(httpx2.AsyncByteStream):
    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        content = self._response.content
        try:
            while data := await content.readany():
                yield data
        # RuntimeError is what aiohttp says once a malformed chunk has ended the connection.
        except (aiohttp.ClientError, TimeoutError, RuntimeError) as error:
            # It raises before it gives out what had come, which is part of the answer.
            if rest := content._read_nowait(-1):
                yield rest
            raise _httpx_error(error) from error

    async def aclose(self) -> None:
        # Not release(): a body that is read to its end has given its connection back already,
        # and any other upstream is to see at once that nobody listens any more.
        self._response.close()

    def is_open(self) -> bool:
        # None once the body has ended and the connection is kept for the next request.
        connection = self._response.connection
        protocol = connection.protocol if connection else None
        return protocol is None or protocol.is_connected()

    def abort(self) -> None:
        self._response.close()


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    """Reading the certificates takes 20 ms, which the event loop has once and not again."""
    return httpx2.create_ssl_context(trust_env=False)


def _timeout(limits: dict[str, Any]) -> aiohttp.ClientTimeout:
    """`connect` bounds name, TCP and TLS together. There is no pool to wait for, and a request
    that cannot be written ends by the caller's limit for the answer."""
    return aiohttp.ClientTimeout(
        total=None, connect=limits.get("connect"), sock_read=limits.get("read")
    )


def _open_socket(address: aiohttp.AddrInfoType) -> socket.socket:
    """The last line: whatever led here, no socket is opened to what is never called."""
    family, kind, protocol, _name, where = address
    found = literal(str(where[0]))
    if found is None or is_forbidden(carried_ipv4(found)):
        raise _Refused(_("The address is one that no endpoint may have."))
    return socket.socket(family, kind, protocol)


def _httpx_error(error: Exception) -> httpx2.TransportError:
    cause = getattr(error, "os_error", None)
    if isinstance(cause, _Refused):
        return ForbiddenAddress(cause.sentence)
    kind = next(kind for known, kind in _ERRORS if isinstance(error, known))
    if kind is httpx2.ConnectError and isinstance(error, OSError):
        kind = _BY_ERRNO.get(error.errno or 0, kind)
    return kind(str(error) or type(error).__name__)
