"""Doors and orders → what every client got, and what the server used meanwhile."""

import asyncio
import contextlib
import gc
import json
import urllib.request
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tests.bench.orders import Order
from tests.bench.processes import Usage, usage
from tests.bench.sockets import Door, Recording, Socket, connect

PATIENCE_S = 60.0

_SAMPLE_S = 0.05
_CONNECTING_AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class Session:
    """One round: an order, a recording and the model's own log for each client, in this order."""

    orders: list[Order]
    recordings: list[Recording]
    log: list[dict[str, Any]]
    usage: list[Usage]


async def round_of(
    doors: list[Door], orders: list[Order], *, stagger_s: float, pid: int | None, model_port: int
) -> Session:
    """Connects every client, then lets one after the other, `stagger_s` apart, send its order.

    `pid` is the server's process, whose usage is sampled; None if there is none.
    """
    recordings = [Recording(order.stream) for order in orders]
    samples: list[Usage] = []
    gc.collect()
    gc.disable()
    sockets = await _connect_all(doors, recordings)
    sampler = asyncio.create_task(_sample(pid, samples))
    try:
        for socket, door, order in zip(sockets, doors, orders, strict=True):
            socket.send(_message(order, door))
            await asyncio.sleep(stagger_s)
        await _ends(sockets, PATIENCE_S + _duration_s(orders))
    finally:
        sampler.cancel()
        for socket in sockets:
            socket.close()
        gc.enable()
    await asyncio.sleep(0.2)
    log = _model_log(model_port)
    unsent = {"received_at": 0.0, "sent": []}
    by_order = [log.get(str(order.stream), unsent) for order in orders]
    return Session(orders, recordings, by_order, samples)


async def _connect_all(doors: list[Door], recordings: list[Recording]) -> list[Socket]:
    gate = asyncio.Semaphore(_CONNECTING_AT_ONCE)

    async def one(door: Door, recording: Recording) -> Socket:
        async with gate:
            return await asyncio.wait_for(connect(door, recording), PATIENCE_S)

    return await asyncio.gather(*map(one, doors, recordings))


def _message(order: Order, door: Door) -> dict[str, Any]:
    """What the page's form sends."""
    return {
        "action": "send",
        "text": order.text(),
        "key": str(uuid.uuid4()),
        "endpoint": str(door.endpoint),
        "headers": {"HX-Request": "true"},
    }


async def _ends(sockets: Iterable[Socket], patience_s: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(patience_s):
            for socket in sockets:
                await asyncio.shield(socket.ended)


def _duration_s(orders: list[Order]) -> float:
    return max(order.tokens / order.rate if order.rate else 0.0 for order in orders)


async def _sample(pid: int | None, samples: list[Usage]) -> None:
    while pid is not None:
        samples.append(usage(pid))
        await asyncio.sleep(_SAMPLE_S)


def _model_log(port: int) -> dict[str, dict[str, Any]]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/log") as answer:
        log: dict[str, dict[str, Any]] = json.load(answer)
        return log
