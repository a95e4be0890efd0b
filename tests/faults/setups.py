"""The ways to run several processes: the real stores of each, and a stage on them."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import replace

from tests.faults.figures import Figure
from tests.faults.stage import Stage, stage
from tests.stores import Postgres, Redis, Store

SETUPS: dict[str, tuple[type[Store], ...]] = {
    "SQLite+Redis": (Redis,),
    "PostgreSQL+Redis": (Postgres, Redis),
    "PostgreSQL": (Postgres,),
}


def has_redis(setup: str) -> bool:
    return Redis in SETUPS[setup]


@asynccontextmanager
async def stage_on(
    stores: Iterable[Store], clients: int, servers: int = 2, **environment: str
) -> AsyncIterator[Stage]:
    """Starts the stores first and ends them last."""
    stack = ExitStack()
    try:
        for store in stores:
            await asyncio.to_thread(stack.enter_context, store)
            environment[store.variable] = store.url
        async with stage(clients, servers, **environment) as on:
            yield on
    finally:
        await asyncio.to_thread(stack.close)


@asynccontextmanager
async def stage_in(
    setup: str, clients: int, servers: int = 2, **environment: str
) -> AsyncIterator[Stage]:
    """A stage on the setup's stores, if nobody needs to hurt these."""
    stores = [kind() for kind in SETUPS[setup]]
    async with stage_on(stores, clients, servers, **environment) as on:
        yield on


def under(name: str, figures: Sequence[Figure]) -> list[Figure]:
    """The figures of one part of a scenario."""
    return [replace(figure, title=f"{name}: {figure.title}") for figure in figures]
