"""WebSocket handshakes in → those that come from our own pages out.

Browsers send a page's cookies with a socket of any site, so the Origin header decides. It must
match by scheme, host and port; Channels' own validator compares the host alone.
"""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from channels.security.websocket import WebsocketDenier
from django.conf import settings
from django.http.request import validate_host

Application = Callable[..., Awaitable[Any]]

_DEFAULT_PORTS = {"http": 80, "https": 443}


class SameOrigin:
    """Lets a handshake through if its one Origin is the site's own or in CSRF_TRUSTED_ORIGINS."""

    def __init__(self, application: Application) -> None:
        self.application = application

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        application = self.application if is_allowed(scope) else WebsocketDenier()
        return await application(scope, receive, send)


def is_allowed(scope: dict[str, Any]) -> bool:
    """Whether the handshake's Origin is one of ours."""
    headers = [(name.lower(), value.decode("latin-1")) for name, value in scope["headers"]]
    origins = [value for name, value in headers if name == b"origin"]
    hosts = [value for name, value in headers if name == b"host"]
    origin = _parts(origins[0]) if len(origins) == 1 else None
    if origin is None:
        return False
    trusted = [_parts(value) for value in settings.CSRF_TRUSTED_ORIGINS]
    return origin in trusted or origin == _own(scope, hosts)


def _own(scope: dict[str, Any], hosts: list[str]) -> tuple[str, str, int] | None:
    """The origin that the handshake itself was made to, if the Host is one we serve."""
    own = _parts(f"{_scheme(scope)}://{hosts[0]}") if len(hosts) == 1 else None
    name = f"[{own[1]}]" if own and ":" in own[1] else own and own[1]
    return own if name and validate_host(name, settings.ALLOWED_HOSTS) else None


def _scheme(scope: dict[str, Any]) -> str:
    return "https" if settings.HTTPS or scope.get("scheme") == "wss" else "http"


def _parts(url: str) -> tuple[str, str, int] | None:
    try:
        parts = urlsplit(url)
        port = parts.port or _DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return None
    if not port or not parts.hostname or parts.username or parts.path.strip("/"):
        return None
    return parts.scheme, parts.hostname, port
