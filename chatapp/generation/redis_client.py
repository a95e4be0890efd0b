"""REDIS_URL → the process's one Redis client, or none.

Redis only makes things quicker. What it holds is in the database a moment later, so its troubles
are logged and never reach a reply.
"""

import logging
import time
from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from redis.asyncio import Redis

logger = logging.getLogger(__name__)

TIMEOUT_S = 2.0
_LOG_EVERY_S = 10.0

_client: "Redis | None" = None
_logged_at = -_LOG_EVERY_S


def client() -> "Redis | None":
    """The client, made when it is first asked for; None without REDIS_URL."""
    global _client
    if _client is None and settings.REDIS_URL:
        from redis.asyncio import Redis
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff

        _client = Redis.from_url(
            settings.REDIS_URL,
            socket_timeout=TIMEOUT_S,
            socket_connect_timeout=TIMEOUT_S,
            retry=Retry(NoBackoff(), 1),
        )
    return _client


async def close() -> None:
    global _client
    if _client is not None:
        await _client.aclose()
        _client = None


def trouble() -> tuple[type[Exception], ...]:
    """What Redis being away looks like."""
    from redis.exceptions import RedisError

    return RedisError, OSError, TimeoutError


def log_trouble(error: Exception) -> None:
    """Says it, but not for every token."""
    global _logged_at
    now = time.monotonic()
    if now - _logged_at > _LOG_EVERY_S:
        _logged_at = now
        logger.warning("Redis does not answer: %s. The database serves instead.", error)
