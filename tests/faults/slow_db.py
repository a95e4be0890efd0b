"""One query that takes seconds → nobody else waits for it, for tokens or for the database."""

import asyncio

import psycopg

from tests.faults.crowd import compared, delays
from tests.faults.figures import Figure, percentile, timing
from tests.faults.readers import Reader, new_order
from tests.faults.setups import stage_in
from tests.faults.stage import Stage

_READERS = 20
_VISITORS = 4
_LEAD_S = 1.0


async def slow_db(seconds: int) -> list[Figure]:
    """What one person sends waits so long for its rows, while 20 others read their streams and 4
    open their pages, send and stop."""
    async with stage_in("PostgreSQL", _READERS + _VISITORS + 1, servers=1) as on:
        victim, *others = on.readers()[: _READERS + 1]
        for reader in (victim, *others):
            await reader.open()
        calm = await delays(on, others, seconds + 2 * _LEAD_S)
        async with asyncio.TaskGroup() as group:
            waiting = group.create_task(_wait(on, victim, seconds))
            visits = [
                group.create_task(_visit(on, _READERS + 1 + n, seconds)) for n in range(_VISITORS)
            ]
            bad = await delays(on, others, seconds + 2 * _LEAD_S)
        return [
            timing("the one who waited, ms", waiting.result()),
            *compared(calm, bad, 50),
            timing("others' token delay meanwhile, bar of p99", percentile(bad, 99), 100),
            timing(
                "opening, sending, stopping meanwhile, max ms",
                max(took for visit in visits for took in visit.result()),
                500,
                seconds * 500,
            ),
            *on.order(),
        ]


async def _visit(on: Stage, client: int, seconds: int) -> list[float]:
    """Opens a page, sends and stops while the row is held; how long each of these took."""
    loop = asyncio.get_running_loop()
    await asyncio.sleep(_LEAD_S)
    ends_at, took = loop.time() + seconds, []
    while loop.time() < ends_at:
        reader, order = on.reader(client), new_order(200)
        began = loop.time()
        await reader.open()
        await reader.until_free()
        took.append(loop.time() - began)
        began = loop.time()
        reader.ask(order)
        await reader.until_asked(order)
        took.append(loop.time() - began)
        began = loop.time()
        reader.stop()
        await reader.until_ended(order)
        took.append(loop.time() - began)
        reader.drop()
        await asyncio.sleep(0.1)
    return took


async def _wait(on: Stage, victim: Reader, seconds: int) -> float:
    """Somebody holds the row of the victim's conversation; how long its message takes to store."""
    loop = asyncio.get_running_loop()
    order = new_order(20)
    await asyncio.sleep(_LEAD_S)
    async with await psycopg.AsyncConnection.connect(on.installation.database) as other:
        await other.execute(
            "SELECT id FROM chatapp_conversation WHERE id = %s FOR UPDATE",
            [on.installation.clients[0]["conversation"]],
        )
        sent_at = loop.time()
        victim.ask(order)
        await asyncio.sleep(seconds)
    await victim.until_asked(order)
    stored_s = loop.time() - sent_at
    assert await victim.until_ended(order) == "complete"
    return stored_s
