"""`python -m tests.faults NAME`: one scenario in full, its figures beside their bars."""

import argparse
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import uvloop

from tests.faults.browser import browser
from tests.faults.budget import budget
from tests.faults.cancels import cancels
from tests.faults.drops import drops
from tests.faults.elsewhere import elsewhere
from tests.faults.endings import endings
from tests.faults.figures import Figure
from tests.faults.idle import idle
from tests.faults.kills import kills
from tests.faults.locked import locked
from tests.faults.malformed import malformed, oversized
from tests.faults.no_redis import no_redis
from tests.faults.owner import owner
from tests.faults.postgres_away import postgres_away
from tests.faults.races import races
from tests.faults.redis_away import redis_away
from tests.faults.repeats import repeats
from tests.faults.restart import restart
from tests.faults.slow_db import slow_db
from tests.faults.slow_readers import slow_readers
from tests.faults.stops import stops
from tests.faults.termination import termination
from tests.faults.zombie import zombie


@dataclass(frozen=True, slots=True)
class Scenario:
    """What `run(count)` does; `count` is how much in full, in the unit that `what` names."""

    run: Callable[[int], Awaitable[list[Figure]]]
    count: int
    what: str


SCENARIOS = {
    "drops": Scenario(drops, 10_000, "connections dropped while 60 replies stream"),
    "termination": Scenario(termination, 50, "streams during which the server gets SIGTERM"),
    "kills": Scenario(kills, 200, "times that the server is killed in the midst of replies"),
    "stops": Scenario(stops, 500, "replies stopped at any moment, half of them twice"),
    "repeats": Scenario(repeats, 1000, "messages sent twice in four ways"),
    "slow-readers": Scenario(slow_readers, 60, "seconds with tabs that read slowly or never"),
    "locked": Scenario(locked, 10, "seconds that SQLite is locked during 20 streams"),
    "cancels": Scenario(cancels, 1000, "replies given up as soon as they are asked for"),
    "idle": Scenario(idle, 300, "seconds with 500 idle sockets"),
    "malformed": Scenario(malformed, 10_000, "frames that no page would send, then a flood"),
    "oversized": Scenario(oversized, 20, "frames of 1 MB, and as many announced as endless"),
    "endings": Scenario(endings, 1000, "answers whose last tokens come with their end"),
    "restart": Scenario(restart, 10, "rounds of restarting two servers under 50 people"),
    "elsewhere": Scenario(elsewhere, 5, "rounds on tabs of two processes, in three setups"),
    "owner": Scenario(owner, 3, "kills of a process whose replies are read on another"),
    "zombie": Scenario(zombie, 30, "seconds that a process stands still and is taken for dead"),
    "slow-db": Scenario(slow_db, 3, "seconds that one person's query takes"),
    "postgres": Scenario(postgres_away, 20, "streams while PostgreSQL goes in three ways"),
    "redis": Scenario(redis_away, 10, "crashes of Redis, then a pause and a flush"),
    "no-redis": Scenario(no_redis, 20, "people on two processes without the Redis they expect"),
    "budget": Scenario(budget, 100, "messages at once where only three may be sent"),
    "races": Scenario(races, 3, "times each of the races between processes"),
    "browser": Scenario(browser, 200, "drops of a tab in Chromium while replies stream"),
}


def main() -> None:
    arguments = _arguments()
    over = False
    for name in arguments.names or SCENARIOS:
        scenario = SCENARIOS[name]
        count = arguments.count or scenario.count
        print(f"{name}: {count:,} {scenario.what}", flush=True)
        began = time.monotonic()
        figures = uvloop.run(_measured(scenario, count))
        print("\n".join(map(str, figures)), f"  {time.monotonic() - began:.0f} s\n", sep="\n")
        over |= not all(figure.is_kept for figure in figures)
    sys.exit(over)


async def _measured(scenario: Scenario, count: int) -> list[Figure]:
    return await scenario.run(count)


def _arguments() -> argparse.Namespace:
    lines = [f"  {name:<14}{s.count:>7,} {s.what}" for name, s in SCENARIOS.items()]
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults",
        description="Faults on purpose, against the production server.",
        epilog="scenarios, with how much by default:\n" + "\n".join(lines),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    names = [*SCENARIOS, []]
    parser.add_argument("names", nargs="*", choices=names, metavar="NAME", help="all if none")
    parser.add_argument("--count", type=int, help="how much of it")
    return parser.parse_args()


if __name__ == "__main__":
    main()
