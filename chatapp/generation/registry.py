"""Calls in → running generations and their final rows: one registry a process."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, KeysView
from functools import partial
from typing import Any
from uuid import UUID

from django.db import Error as DatabaseTrouble
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import override

from chatapp import logs
from chatapp.database import read, write
from chatapp.errors import InvalidInput
from chatapp.failpoints import reach
from chatapp.generation import bus, hints, queue, shared_log, titles
from chatapp.generation.background import begin, unfailing
from chatapp.generation.calls import Call
from chatapp.generation.generation import Generation
from chatapp.generation.keeper import keep
from chatapp.generation.process import PROCESS
from chatapp.generation.rows import finish, request_stop
from chatapp.locales import carried
from chatapp.metrics import count_reply
from chatapp.models import Status

logger = logging.getLogger(__name__)

RESTARTING = _lazy("This server is restarting. Nothing was sent: try again in a moment.")
MAX_PAUSE_S = 1.0
DRAIN_WRITE_S = 20.0
# A prompt; and if its reply is continued, the reply so far and the wish to go on.
_MOST_TURNS_AT_FIRST = 3

_running: dict[UUID, Generation] = {}
_unfinished: set[asyncio.Task[None]] = set()
_keeper: asyncio.Task[None] | None = None
_is_draining = False


async def launch(store: Callable[..., Call | None], *args: Any) -> None:
    """Runs `store(*args, process=…)`, which writes a turn, and starts the call it returns.

    Both happen or neither, even if the caller is cancelled in between: a write cannot be taken
    back, and a queued reply that nobody makes would block its conversation. Raises what `store`
    does, and InvalidInput while draining.
    """
    await asyncio.shield(_begin(_launch(carried(store), *args), logs.current.get()))


async def send_queued(conversation_id: UUID) -> None:
    """Sends the next message that waits there, if it may go; what fails now the upkeep does."""
    try:
        if await read(queue.is_ready, conversation_id):
            await reach("queue.next")
            await launch(queue.send_next, conversation_id)
            bus.announce(conversation_id)
    except InvalidInput:
        logger.info("conversation %s: its queue is left to another process", conversation_id)
    except DatabaseTrouble as error:
        logger.warning("conversation %s: its queue was not looked at: %s", conversation_id, error)
    except Exception:  # a mistake of ours, which is not to hold up all other queues
        logger.exception("conversation %s: its queue was not sent", conversation_id)


def start(call: Call) -> Generation:
    """Starts the call's generation and returns at once; it runs until it ends or is stopped."""
    if (before := find(call.reply_id)) is not None:
        before.stop()  # it was taken for dead elsewhere, and is continued here
    generation = Generation(call)
    _running[call.reply_id] = generation
    _begin(_live(generation), logs.of_generation(call.reply_id))
    _keep_keeping()
    bus.announce(call.conversation_id)
    return generation


def find(reply_id: UUID) -> Generation | None:
    """The generation, from its start until its final row is written."""
    return _running.get(reply_id)


def running() -> KeysView[UUID]:
    """The replies that this process makes, as it goes on."""
    return _running.keys()


async def stop(reply_id: UUID) -> None:
    """Stops the reply wherever it is made: here at once, elsewhere within a checkpoint's time."""
    await reach("stop.requested")
    if not stop_here(reply_id):
        bus.pass_on_stop(reply_id)
        await write(request_stop, reply_id)


def stop_here(reply_id: UUID) -> bool:
    """Stops the reply if it is made here; whether it is."""
    generation = find(reply_id)
    if generation is not None:
        generation.stop()
    return generation is not None


def refuse_more() -> None:
    """From now on nothing is launched: the process is about to end."""
    global _is_draining
    _is_draining = True


def is_draining() -> bool:
    return _is_draining


async def drain(timeout_s: float) -> None:
    """Lets generations run for `timeout_s` seconds, then interrupts them and writes their rows.

    A launch that is under way may still begin one, and a row that is being written is waited for.
    """
    loop = asyncio.get_running_loop()
    late_at = loop.time() + timeout_s
    gone_at = late_at + DRAIN_WRITE_S
    while _unfinished and loop.time() < gone_at:
        is_late = loop.time() >= late_at
        if is_late:
            for generation in _running.values():
                generation.interrupt()
        limit_s = (gone_at if is_late else late_at) - loop.time()
        await asyncio.wait(_unfinished, timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)


async def _launch(store: Callable[..., Call | None], *args: Any) -> None:
    if _is_draining:
        raise InvalidInput(RESTARTING)
    call = await write(store, *args, process=PROCESS)
    if call is not None:
        await reach("reply.stored")
        start(call)


def _begin(work: Coroutine[Any, Any, None], ids: logs.Ids) -> "asyncio.Task[None]":
    """Begins what a drain waits for."""
    task = begin(work, ids)
    _unfinished.add(task)
    task.add_done_callback(_unfinished.discard)
    return task


def _keep_keeping() -> None:
    global _keeper
    if _keeper is None or _keeper.done():
        _keeper = begin(unfailing(partial(keep, _running)))


async def _live(generation: Generation) -> None:
    try:
        with override(generation.call.language):
            await generation.live()
    finally:
        await asyncio.shield(_begin(_write_final_row(generation), logs.current.get()))


async def _write_final_row(generation: Generation) -> None:
    try:
        await _persist(generation)
    finally:
        generation.is_saved = True
        shared_log.forget(generation)
        if not _is_replaced(generation):
            del _running[generation.reply_id]
            await reach("final.written")
            bus.announce(generation.call.conversation_id)
            _tell(generation)
            _suggest_title(generation)
    with override(generation.call.language):  # what waits there is the same person's
        await send_queued(generation.call.conversation_id)


def _is_replaced(generation: Generation) -> bool:
    """Whether its reply was taken for dead elsewhere and is continued here: the row is another
    run's then."""
    return find(generation.reply_id) is not generation


def _tell(generation: Generation) -> None:
    """To those who watch the service; nothing of what was said."""
    fields, endpoint = generation.snapshot().fields, generation.call.target.name
    count_reply(endpoint, fields, generation.call.spent)
    how = fields.get("error_kind") or generation.status
    logger.info("reply ended: %s at %s", how, endpoint)


def _suggest_title(generation: Generation) -> None:
    """After the first reply of a conversation."""
    call, turns = generation.call, generation.call.prompt.turns
    is_first = 0 < len(turns) <= _MOST_TURNS_AT_FIRST
    if is_first and generation.status is Status.COMPLETE:
        answer = generation.log.texts()["text"].strip()
        titles.suggest(
            titles.Exchange(
                call.reservation.person_id,
                call.conversation_id,
                call.reply_id,
                call.target,
                turns[0].text,
                answer,
            )
        )


async def _persist(generation: Generation) -> None:
    """Writes the last snapshot, trying again for as long as the database is in trouble."""
    await reach("final.write")
    pause_s = 0.05
    while not _is_replaced(generation):
        try:
            is_seen = generation.call.conversation_id in hints.watched()
            reserved, taken = generation.call.reservation, generation.tokens_taken()
            await write(
                finish, generation.snapshot(), reserved, taken, process=PROCESS, is_seen=is_seen
            )
            return
        except DatabaseTrouble as error:
            log = logger.error if pause_s >= MAX_PAUSE_S else logger.warning
            log("final row of %s not written yet: %s", generation.reply_id, error)
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, MAX_PAUSE_S)
