"""One query that takes seconds → nobody else's tokens wait for it."""

import asyncio

import psycopg

from tests.faults.crowd import compared, delays
from tests.faults.figures import Figure, percentile, timing
from tests.faults.readers import Reader, new_order
from tests.faults.setups import stage_in
from tests.faults.stage import Stage

_READERS = 20
_LEAD_S = 1.0


async def slow_db(seconds: int) -> list[Figure]:
    """What one person sends waits so long for its rows, while 20 others read their streams."""
    async with stage_in("PostgreSQL", _READERS + 1, servers=1) as on:
        victim, *others = on.readers()
        for reader in (victim, *others):
            await reader.open()
        calm = await delays(on, others, seconds + 2 * _LEAD_S)
        async with asyncio.TaskGroup() as group:
            waiting = group.create_task(_wait(on, victim, seconds))
            bad = await delays(on, others, seconds + 2 * _LEAD_S)
        return [
            timing("the one who waited, ms", waiting.result()),
            *compared(calm, bad, 50),
            timing("others' token delay meanwhile, bar of p99", percentile(bad, 99), 100),
            *on.order(),
        ]


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
