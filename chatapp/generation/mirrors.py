"""A reply that another process makes → a log of the same kind here.

The text comes from Redis within a moment, or from the checkpoints in the database. Both are
beginnings of the same text, so whichever knows more adds what is missing.
"""

import asyncio
import weakref
from typing import Any
from uuid import UUID

from django.db import Error as DatabaseTrouble
from django.db.models.functions import Substr

from chatapp.database import read
from chatapp.generation import hints, shared_log
from chatapp.generation.background import begin
from chatapp.generation.log import KINDS, PARTS, Log
from chatapp.generation.source import run_of
from chatapp.models import Message, Status

SHARED_POLL_S = 0.05
ROW_POLL_S = 0.25
STATUS_POLL_S = 1.0


class Mirror:
    """One such reply; it is kept up to date for as long as somebody holds it."""

    def __init__(self, message: Message) -> None:
        self.reply_id: UUID = message.pk
        self.conversation_id: UUID = message.conversation_id
        self.run = run_of(message.pk, len(message.seams))
        self.log = Log()
        self.status = Status(message.status)
        self.is_saved = False
        self.known = dict.fromkeys(PARTS.values(), 0)
        self._shared = dict(self.known)
        self._position = 0
        for part in self.known:
            self._learn(part, 0, getattr(message, part))

    async def read_shared(self) -> bool:
        """Takes over what Redis has; whether it could be asked."""
        found = await shared_log.read(self.run, self._position)
        if found is None:
            return False
        entries, self._position = found
        for part, text in entries:
            self._learn(part, self._shared[part], text)
            self._shared[part] += len(text)
        return True

    async def read_row(self) -> None:
        """Takes over what the database has, the final status among it."""
        row = await read(_row, self.reply_id, dict(self.known))
        if row is None:
            self.status = Status.INTERRUPTED
        else:
            for part in self.known:
                self._learn(part, row[f"{part}_from"], row[f"{part}_rest"])
            self.status = Status(row["status"])
        self.is_saved = not self.status.is_live

    def _learn(self, part: str, start: int, text: str) -> None:
        """`text` stands at character `start` of the part; what is known of it is left out."""
        new = text[self.known[part] - start :]
        if new:
            self.log.append([KINDS[part](new)])
            self.known[part] += len(new)
            if self.status is Status.QUEUED:
                self.status = Status.STREAMING


_mirrors: weakref.WeakValueDictionary[UUID, Mirror] = weakref.WeakValueDictionary()


def follow(message: Message) -> Mirror:
    """The mirror of a live reply of another process, shared by everyone who reads along."""
    mirror = _mirrors.get(message.pk)
    if mirror is None or mirror.is_saved:
        mirror = _mirrors[message.pk] = Mirror(message)
        begin(_keep_up(weakref.ref(mirror)))
    return mirror


def followed() -> int:
    """How many replies of other processes are read along here."""
    return len(_mirrors)


async def _keep_up(reference: "weakref.ref[Mirror]") -> None:
    row_due = 0.0
    loop = asyncio.get_running_loop()
    while (mirror := reference()) is not None and not mirror.is_saved:
        size = mirror.log.chars
        has_shared = await mirror.read_shared()
        if not has_shared or loop.time() >= row_due:
            row_due = loop.time() + STATUS_POLL_S
            await _try_row(mirror)
        if mirror.is_saved or mirror.log.chars > size:
            hints.notify(mirror.conversation_id, turns_changed=mirror.is_saved)
        del mirror
        await asyncio.sleep(SHARED_POLL_S if has_shared else ROW_POLL_S)


async def _try_row(mirror: Mirror) -> None:
    try:
        await mirror.read_row()
    except DatabaseTrouble:
        await asyncio.sleep(ROW_POLL_S)


def _row(reply_id: UUID, known: dict[str, int]) -> dict[str, Any] | None:
    """The reply's status, and of each part what comes behind `known` characters."""
    rest = {f"{part}_rest": Substr(part, chars + 1) for part, chars in known.items()}
    row = Message.objects.filter(pk=reply_id).values("status", **rest).first()
    return row and row | {f"{part}_from": chars for part, chars in known.items()}
