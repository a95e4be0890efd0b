"""Numbers of streams → the figures of the harness, the floor and chatapp under that load."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import uvloop

from tests.bench import servers
from tests.bench.figures import Figures, figures
from tests.bench.orders import Order
from tests.bench.processes import usage, wait_for_quiet
from tests.bench.sockets import Door
from tests.bench.swarm import Session, round_of

RATE = 50
THROUGHPUT_STREAMS = 20

_PATIENCE_S = 60.0
_FEW, _ROUNDS_OF_FEW, _SECONDS_OF_FEW = 5, 15, 1.5

STARTERS: dict[str, servers.Starter] = {"floor": servers.floor, "chatapp": servers.chatapp}


@dataclass(frozen=True, slots=True)
class Load:
    """`rounds` times `streams` clients, each of which asks for `tokens` at `rate` (0: no limit).

    They ask one after the other, `stagger_s` apart.
    """

    streams: int
    tokens: int
    rate: int = RATE
    rounds: int = 1
    stagger_s: float = 0.0


# A whole cycle of the answer, so that nothing happens for the first time later on.
_WARM_UP = Load(1, tokens=600, rate=500)


def paced(streams: int, seconds: float, stagger_s: float) -> Load:
    """All stream together for `seconds`; a few streams are measured several times, but shortly."""
    if streams < _FEW:
        return Load(streams, int(_SECONDS_OF_FEW * RATE), rounds=_ROUNDS_OF_FEW)
    tokens = max(150, int((seconds + streams * stagger_s) * RATE))
    return Load(streams, tokens, stagger_s=stagger_s)


def throughput(seconds: float) -> Load:
    """As fast as the model can, for about as long as the bar's rate takes."""
    return Load(THROUGHPUT_STREAMS, int(35_000 * seconds / THROUGHPUT_STREAMS), rate=0)


def measure(load: Load, only: str | None = None) -> Iterator[tuple[str, Figures]]:
    """One after the other: the harness by itself, then each server, started for this alone."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        directory = Path(name)
        with servers.model(directory) as model_port:
            if only is None:
                yield "harness", _harness(load, model_port)
            for server, start in STARTERS.items():
                if only in (None, server):
                    yield server, _served(start, load, model_port, directory)


def _harness(load: Load, model_port: int) -> Figures:
    """The clients speak to the model itself, in WebSocket frames: what no server added."""
    doors = [Door(model_port)] * load.streams
    sessions = _rounds(load, [doors] * load.rounds, pid=None, model_port=model_port)
    return figures(sessions, idle=None)


def _served(start: servers.Starter, load: Load, model_port: int, directory: Path) -> Figures:
    clients = load.streams * load.rounds + 1
    with ExitStack() as stack:
        server = stack.enter_context(start(f"http://127.0.0.1:{model_port}", clients, directory))
        idle = usage(server.pid)
        wait_for_quiet(_PATIENCE_S)
        _rounds(_WARM_UP, [server.doors[-1:]], server.pid, model_port)
        starts = range(0, clients - 1, load.streams)
        doors = [server.doors[first : first + load.streams] for first in starts]
        return figures(_rounds(load, doors, server.pid, model_port), idle)


def _rounds(load: Load, doors: list[list[Door]], pid: int | None, model_port: int) -> list[Session]:
    orders = [Order(stream, load.tokens, load.rate) for stream in range(load.streams)]
    return [
        uvloop.run(round_of(some, orders, stagger_s=load.stagger_s, pid=pid, model_port=model_port))
        for some in doors
    ]
