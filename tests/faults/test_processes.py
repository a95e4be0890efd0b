"""A short form of what happens to several processes and their stores: outcomes within their bars;
how long they take is not asked.

Most of it is waiting, for leases and for what comes back, so that the scenarios of an act run side
by side from its first test on; every test tells how its own one went.
"""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tests.faults.budget import budget
from tests.faults.elsewhere import elsewhere
from tests.faults.figures import Figure, check
from tests.faults.no_redis import no_redis
from tests.faults.owner import owner
from tests.faults.postgres_away import postgres_away
from tests.faults.races import races
from tests.faults.redis_away import redis_away
from tests.faults.restart import restart
from tests.faults.slow_db import slow_db
from tests.faults.zombie import zombie

pytestmark = pytest.mark.asyncio(loop_scope="module")

Short = Callable[[], Awaitable[list[Figure]]]

_FIRST_ACT: dict[str, Short] = {
    "owner": lambda: owner(1, ["SQLite+Redis"]),
    "zombie": lambda: zombie(20, ["PostgreSQL"]),
    "races": lambda: races(1),
    "restart": lambda: restart(2, 10, ["PostgreSQL"]),
    "restart with Redis": lambda: restart(2, 10, ["PostgreSQL+Redis"]),
}
_SECOND_ACT: dict[str, Short] = {
    "postgres": lambda: postgres_away(8),
    "redis": lambda: redis_away(3, ["PostgreSQL+Redis"]),
    "no redis": lambda: no_redis(4, ["PostgreSQL"]),
    "elsewhere": lambda: elsewhere(1),
    "slow": lambda: slow_db(3),
    "budget": lambda: budget(20),
}

_running: dict[str, asyncio.Future[list[Figure]]] = {}


async def _check(name: str) -> None:
    if name not in _running:
        act = _FIRST_ACT if name in _FIRST_ACT else _SECOND_ACT
        _running.update({title: asyncio.ensure_future(run()) for title, run in act.items()})
    check(await _running[name])


async def test_a_killed_process_loses_its_replies_to_those_who_show_them() -> None:
    await _check("owner")


async def test_a_process_that_was_taken_for_dead_writes_nothing() -> None:
    await _check("zombie")


async def test_races_between_processes_have_one_winner() -> None:
    await _check("races")


@pytest.mark.parametrize("setup", ["restart", "restart with Redis"])
async def test_restarting_one_process_after_the_other_loses_nothing(setup: str) -> None:
    await _check(setup)


async def test_streams_outlast_their_database() -> None:
    await _check("postgres")


async def test_streams_hardly_notice_that_redis_is_away() -> None:
    await _check("redis")


async def test_redis_may_be_missing_from_the_beginning() -> None:
    await _check("no redis")


async def test_tabs_on_two_processes_show_the_same() -> None:
    await _check("elsewhere")


async def test_no_more_is_spent_than_there_is_however_many_ask_at_once() -> None:
    await _check("budget")


async def test_one_slow_query_holds_up_nobody_else() -> None:
    await _check("slow")
