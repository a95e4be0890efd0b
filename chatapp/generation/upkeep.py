"""What a process does beside its own replies: end abandoned ones, send what still waits, hear what
others changed, sum up what changed, count what is over, bring back what is ahead of its time."""

import asyncio
import logging
import random
from collections.abc import Collection
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from django.db import Error as DatabaseTrouble
from django.utils import timezone

from chatapp import metrics
from chatapp.database import is_shared, read, write
from chatapp.failpoints import reach
from chatapp.figures import closing
from chatapp.generation import background, bus, hints, redis_client, registry
from chatapp.generation.queue import ready_conversations
from chatapp.generation.rows import LEASE_S, interrupt_abandoned
from chatapp.limits import counters
from chatapp.models import Conversation, summary

logger = logging.getLogger(__name__)

REAP_S = 3.0
SUM_UP_S = 5.0
_SUMMARIES_AT_ONCE = 50
_COUNT_S = 20.0
_LOOK_AHEAD_S = 20.0
_BETWEEN_HOURS_S = 0.1
# Longer than from one look to the next, and than the clocks of processes differ.
_RECENTLY = timedelta(seconds=20)

# A conversation's owner, and when it changed.
Change = tuple[int, datetime]


def start() -> None:
    """Begins the upkeep; it goes on until `stop`."""
    works = [_reap, metrics.watch_lag, _sum_up, _count, _bring_back]
    if is_shared():
        works += [_look_for_changes, partial(bus.listen, registry.stop_here)]
    for work in works:
        background.begin(background.unfailing(work))


async def stop() -> None:
    """Ends it, and whatever else this process still does about replies."""
    await background.end()
    await redis_client.close()


async def _reap() -> None:
    while True:
        try:
            for conversation_id in await write(interrupt_abandoned, set(registry.running())):
                metrics.ABANDONED.inc()
                logger.warning("conversation %s: its reply was abandoned", conversation_id)
                await reach("lease.expired")
                bus.announce(conversation_id)
            for conversation_id in await read(ready_conversations):
                await registry.send_queued(conversation_id)
        except DatabaseTrouble as error:
            logger.warning("abandoned replies not looked for: %s", error)
            # Nobody could renew a lease meanwhile; their owners get the time to do so.
            await asyncio.sleep(LEASE_S)
        await asyncio.sleep(REAP_S * random.uniform(0.8, 1.2))


async def _sum_up() -> None:
    """Makes summaries, a few at once: whoever writes a reply is not to wait for them."""
    while True:
        try:
            summaries = await read(summary.due, _SUMMARIES_AT_ONCE)
            if summaries:
                await write(summary.store, summaries)
        except DatabaseTrouble as error:
            logger.warning("conversations not summed up: %s", error)
            summaries = []
        is_more = len(summaries) == _SUMMARIES_AT_ONCE
        await asyncio.sleep((0.1 if is_more else SUM_UP_S) * random.uniform(0.8, 1.2))


async def _look_for_changes() -> None:
    """Finds what hints did not tell: there are none without Redis, and some are lost with it."""
    seen: dict[UUID, datetime | None] = {}
    listed: dict[UUID, Change] = {}
    while True:
        await asyncio.sleep((5.0 if bus.is_listening() else 1.0) * random.uniform(0.8, 1.2))
        watched = hints.watched()
        try:
            changes = await read(_changed_at, watched)
            recent = await read(_recently_changed, hints.watched_lists())
        except DatabaseTrouble:
            continue
        for person_id in {change[0] for i, change in recent.items() if listed.get(i) != change}:
            hints.notify_list(person_id)
        listed = recent
        for conversation_id in watched:
            if seen.get(conversation_id) != changes.get(conversation_id):
                hints.notify(conversation_id, turns_changed=True)
        seen = {conversation_id: changes.get(conversation_id) for conversation_id in watched}


async def _count() -> None:
    """Makes the figures of hours that are over, after a long time away one after the other."""
    while True:
        try:
            while (due := await read(closing.next_closing)) is not None:
                await write(closing.store, due)
                await asyncio.sleep(_BETWEEN_HOURS_S)
        except DatabaseTrouble as error:
            logger.warning("figures not made: %s", error)
            # Who could not write the end of a reply meanwhile gets the time to do so.
            await asyncio.sleep(LEASE_S)
        await asyncio.sleep(_COUNT_S * random.uniform(0.8, 1.2))


async def _bring_back() -> None:
    """Sets people free whose counters a clock that was ahead left in the future."""
    while True:
        try:
            if await read(counters.are_ahead):
                people = await write(counters.bring_back)
                logger.warning("the clock was ahead: counters of %d people brought back", people)
        except DatabaseTrouble as error:
            logger.warning("counters not looked at: %s", error)
        await asyncio.sleep(_LOOK_AHEAD_S * random.uniform(0.8, 1.2))


def _changed_at(conversation_ids: Collection[UUID]) -> dict[UUID, datetime]:
    conversations = Conversation.objects.filter(pk__in=conversation_ids)
    return dict(conversations.values_list("pk", "updated_at")) if conversation_ids else {}


def _recently_changed(person_ids: Collection[int]) -> dict[UUID, Change]:
    """Conversations of these people that changed a short while ago: owner and time of each."""
    if not person_ids:
        return {}
    recent = Conversation.objects.filter(updated_at__gt=timezone.now() - _RECENTLY)
    found = recent.filter(owner__in=person_ids).values_list("pk", "owner_id", "updated_at")
    return {conversation_id: (owner, at) for conversation_id, owner, at in found}
