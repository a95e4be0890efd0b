"""Whether the process is alive, and whether it can serve: for load balancers and operators."""

from django.db import Error as DatabaseTrouble
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from chatapp.database import read
from chatapp.generation import redis_client, registry


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


async def _database() -> str:
    try:
        return await read(_migrated)
    except DatabaseTrouble as error:
        return f"unreachable: {type(error).__name__}"


def _migrated() -> str:
    executor = MigrationExecutor(connection)
    behind = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return "migrations missing" if behind else "ok"


async def _redis() -> str:
    redis = redis_client.client()
    if redis is None:
        return "not used"
    try:
        await redis.ping()
    except redis_client.trouble() as error:
        return f"unreachable: {type(error).__name__}"
    return "ok"
