"""What Daphne reports of each request and socket → one line of log, without what is private in it.

Query strings stay out, and so does what opens a door: what follows the first part of a link that
signs in or shares.
"""

import logging
from typing import Any

logger = logging.getLogger("chatapp.access")

_PRIVATE = ("/demo/", "/s/")
# Asked every few seconds, which would be most of the log.
_PROBES = ("/healthz", "/readyz", "/metrics")


def log_access(protocol: str, action: str, details: dict[str, Any]) -> None:
    """Daphne's `action_logger`: finished requests, and sockets as they open and close."""
    path = _public(details["path"])
    if protocol == "http" and action == "complete":
        logger.log(
            logging.DEBUG if _is_probe(path, details["status"]) else logging.INFO,
            "%s %s %s %s B %.0f ms",
            details["method"],
            path,
            details["status"],
            details["size"],
            details["time_taken"] * 1000,
        )
    elif protocol == "websocket" and action != "connecting":
        logger.info("WS %s %s", path, action)


def _is_probe(path: str, status: int) -> bool:
    return path in _PROBES and status == 200


def _public(path: str) -> str:
    path = path.partition("?")[0]
    for start in _PRIVATE:
        if path.startswith(start):
            return f"{start}…"
    return path.encode("unicode_escape").decode()
