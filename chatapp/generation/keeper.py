"""Running replies → their rows, every round: checkpoints, leases, and whether to go on."""

import asyncio
import logging
from collections.abc import Mapping
from uuid import UUID

from django.conf import settings
from django.db import Error as DatabaseTrouble

from chatapp.database import is_shared, write
from chatapp.failpoints import reach
from chatapp.generation.generation import Generation
from chatapp.generation.process import PROCESS
from chatapp.generation.rows import checkpoint

logger = logging.getLogger(__name__)

ROWS_A_WRITE = 8


def round_s() -> float:
    """Seconds between two checkpoints of a reply: short where others read along from its row."""
    is_read_from_rows = is_shared() and not settings.REDIS_URL
    return 0.25 if is_read_from_rows else 0.8


async def keep(running: Mapping[UUID, Generation]) -> None:
    """Writes what has grown and renews every lease once a round, for as long as any runs."""
    loop = asyncio.get_running_loop()
    saved: dict[UUID, int] = {}
    round_ends = loop.time() + round_s()
    while running:
        await asyncio.sleep(round_ends - loop.time())
        round_ends = loop.time() + round_s()
        live = [generation for generation in running.values() if generation.status.is_live]
        for first in range(0, len(live), ROWS_A_WRITE):
            await _keep(live[first : first + ROWS_A_WRITE], saved)
            # Spread over the round: all rows at once would hold up everybody's tokens.
            left = len(live) - first
            await asyncio.sleep((round_ends - loop.time()) * min(1, ROWS_A_WRITE / left))
        saved = {reply_id: at for reply_id, at in saved.items() if reply_id in running}


async def _keep(generations: list[Generation], saved: dict[UUID, int]) -> None:
    await reach("checkpoint.write")
    generations = [generation for generation in generations if generation.status.is_live]
    positions = {g.reply_id: len(g.log.entries) for g in generations}
    grown = [g.snapshot() for g in generations if saved.get(g.reply_id, 0) != positions[g.reply_id]]
    try:
        going_on = await write(checkpoint, grown, positions.keys(), process=PROCESS)
    except DatabaseTrouble as error:
        logger.warning("checkpoint of %d replies not written: %s", len(grown), error)
        return
    saved |= positions
    for generation in generations:
        if generation.reply_id not in going_on:
            generation.stop()
