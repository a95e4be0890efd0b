"""A Redis that is not there from the beginning → said on /readyz, and otherwise nobody notices."""

import asyncio
import json
from collections.abc import Iterable
from urllib.request import urlopen

from tests.faults.figures import Figure, percentile, timing
from tests.faults.readers import new_order
from tests.faults.setups import stage_on, under
from tests.faults.stage import Stage
from tests.ports import free_port
from tests.stores import Postgres

_RATE = 20


async def no_redis(
    clients: int, databases: Iterable[str] = ("PostgreSQL", "SQLite")
) -> list[Figure]:
    """So many people with a tab on each of two processes."""
    nowhere = f"redis://127.0.0.1:{free_port()}/0"
    figures = []
    for database in databases:
        stores = [Postgres()] if database == "PostgreSQL" else []
        async with stage_on(stores, clients, REDIS_URL=nowhere) as on:
            figures += under(database, await _chat(on, clients))
    return figures


async def _chat(on: Stage, clients: int) -> list[Figure]:
    states = [await asyncio.to_thread(_ready, server.port) for server in on.servers]
    ports = [server.port for server in on.servers]
    here = [on.reader(client, ports[client % 2]) for client in range(clients)]
    there = [on.reader(client, ports[1 - client % 2]) for client in range(clients)]
    orders = [new_order(100, _RATE) for _ in range(clients)]
    for reader in here + there:
        await reader.open()
    for reader, order in zip(here, orders, strict=True):
        reader.ask(order)
    statuses = [
        await reader.until_ended(order)
        for reader, order in zip(here + there, orders * 2, strict=True)
    ]
    here_s, there_s = (
        [d for r, o in zip(readers, orders, strict=True) for d in r.delays(on.upstream.call(o))]
        for readers in (here, there)
    )
    return [
        Figure("servers that are not ready", sum(s["database"] != "ok" for s in states), 0),
        Figure("that do not say it", sum("unreachable" not in s["redis"] for s in states), 0),
        Figure("not complete", len(statuses) - statuses.count("complete"), 0),
        timing("a token here, p99 ms", percentile(here_s, 99)),
        timing("a token elsewhere, p50 ms", percentile(there_s, 50)),
        timing("a token elsewhere, p99 ms", percentile(there_s, 99), 2500),
        *on.truth(orders),
    ]


def _ready(port: int) -> dict[str, str]:
    """What /readyz says, which must be with 200."""
    with urlopen(f"http://127.0.0.1:{port}/readyz", timeout=10) as page:
        state: dict[str, str] = json.load(page)
    return state
