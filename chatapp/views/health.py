"""Whether the process is alive, whether it can serve, what it does: for those who watch it."""

import asyncio
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address

import django
from django.conf import settings
from django.db import Error as DatabaseTrouble
from django.db import transaction
from django.db.models import F
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import REGISTRY
from prometheus_client.exposition import choose_encoder

from chatapp import metrics as numbers
from chatapp.database import is_migrated, load, write
from chatapp.generation import mirrors, redis_client, registry
from chatapp.models import FigureClock
from chatapp.oversight.audit import client_address

PATIENCE_S = 5.0
REDIS_PATIENCE_S = 0.5  # the service does without it

# What a proxy adds; only the first of them says for whom.
_FORWARDING = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Forwarded", "Via")

_is_migrated = False

numbers.BUILD.info({"version": settings.BUILD or "unknown", "django": django.__version__})


@require_safe
@never_cache
async def healthz(request: HttpRequest) -> HttpResponse:
    """The event loop turns."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
@never_cache
async def readyz(request: HttpRequest) -> JsonResponse:
    """200 if a message sent now would be stored and answered, else 503; says what is wrong.

    Redis being away is said, but one can chat without it.
    """
    state = {
        "database": await _database(),
        "redis": await _redis(),
        "draining": "yes" if registry.is_draining() else "no",
    }
    is_ready = state["database"] == "ok" and not registry.is_draining()
    return JsonResponse(state, status=200 if is_ready else 503)


@require_safe
@never_cache
async def metrics(request: HttpRequest) -> HttpResponse:
    """What Prometheus reads, of this process; for who may not, there is no such page."""
    if not _may_watch(request):
        raise Http404
    numbers.RUNNING.set(len(registry.running()))
    numbers.FOLLOWED.set(mirrors.followed())
    for what, value in load().items():
        numbers.DATABASE.labels(what).set(value)
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    text = await asyncio.to_thread(encode, REGISTRY)
    return HttpResponse(text, content_type=content_type)


async def _database() -> str:
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await write(_is_usable)
    except TimeoutError:
        return f"no answer within {PATIENCE_S:g} s"
    except DatabaseTrouble as error:
        return f"unreachable: {type(error).__name__}"


def _is_usable() -> str:
    """Migrations are looked for until they are there: this process needs no others."""
    global _is_migrated
    if not _is_migrated:
        _is_migrated = is_migrated()
        return "ok" if _is_migrated else "migrations missing"
    with transaction.atomic():
        FigureClock.objects.update(until=F("until"))  # any row that everybody may write
        transaction.set_rollback(True)
    return "ok"


async def _redis() -> str:
    redis = redis_client.client()
    if redis is None:
        return "not used"
    try:
        async with asyncio.timeout(REDIS_PATIENCE_S):
            await redis.ping()
    except redis_client.trouble() as error:
        return f"unreachable: {type(error).__name__}"
    return "ok"


def _may_watch(request: HttpRequest) -> bool:
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    if settings.METRICS_TOKEN and scheme.lower() == "bearer":
        return constant_time_compare(token.strip(), settings.METRICS_TOKEN)
    address = client_address(request)
    is_forwarded = any(name in request.headers for name in _FORWARDING)
    if is_forwarded and address == request.META.get("REMOTE_ADDR"):
        return False  # that is a proxy which nobody vouches for, and behind it may be anybody
    return address is not None and _is_within(address, settings.METRICS_NETWORKS)


def _is_within(address: str, networks: Sequence[IPv4Network | IPv6Network]) -> bool:
    ip = ip_address(address)
    return any(ip in network for network in networks)
