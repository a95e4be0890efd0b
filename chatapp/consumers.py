"""The socket: frames of one signed-in person in → their conversation's fragments out.

Authorise, parse, start and stop; and follow the conversation with a read-only position on its
logs. Nothing long is ever awaited in `receive`: the following is a task of its own.
"""

import asyncio
import contextlib
import logging
import time
import uuid
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db import Error as DatabaseTrouble
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from chatapp.composing import queueing
from chatapp.composing.actions import MESSAGE_ACTIONS, QUEUE_ACTIONS, act, sending_in, unknown
from chatapp.database import read, write
from chatapp.errors import InvalidInput
from chatapp.failpoints import reach
from chatapp.forms import parse, uuid_in
from chatapp.generation import bus, hints, mirrors, queue, registry
from chatapp.generation.turns import ask
from chatapp.library.catalog import mark_seen
from chatapp.limits.allowances import are_set
from chatapp.limits.standing import lowest_of
from chatapp.models import Conversation, conversation_for, message_for
from chatapp.page.following import OpenPage
from chatapp.page.pacing import FRAME_S, FrameAllowance, Pace
from chatapp.page.tail import Tail
from chatapp.page.transcript import left_line, taken_back
from chatapp.rendering.fragments import Fragment
from chatapp.sessions import trace_of
from chatapp.sockets import (
    BROKEN,
    NO_SUCH_CONVERSATION,
    NOT_FOUND,
    POLL_S,
    TOO_MANY,
    PageSocket,
    Refused,
)

logger = logging.getLogger(__name__)

FRAMES_AT_ONCE, FRAMES_A_SECOND = 20, 10.0
LONGEST_WAIT_S = 3600.0
DATABASE_TROUBLE = _lazy(
    "The database does not answer just now. Nothing is lost: try again in a moment."
)
TOO_FAST = _lazy("Too much at once: this page was disconnected and comes back in a moment.")


class ConversationConsumer(PageSocket):
    """One browser tab's connection to one conversation."""

    async def connect(self) -> None:
        self._allowance = FrameAllowance(FRAMES_AT_ONCE, FRAMES_A_SECOND)
        self._trace: tuple[Any, ...] | None = None
        self._left: str | None = None
        self._telling: asyncio.Task[None] | None = None
        self._conversation_id: UUID = self.scope["url_route"]["kwargs"]["conversation_id"]
        self._page = OpenPage(self._conversation_id, _tail_in(self.query))
        await super().connect()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if not self._allowance.take():
            await self._refuse(Refused(TOO_MANY, str(TOO_FAST)))
            return
        try:
            await self._act(parse(text_data))
        except InvalidInput as error:
            await self._notice(str(error))
        except Refused as refusal:
            await self._refuse(refusal)
        except DatabaseTrouble:
            logger.exception("a frame for conversation %s was not stored", self._conversation_id)
            await self._notice(str(DATABASE_TROUBLE))

    async def _act(self, frame: dict[str, Any]) -> None:
        action = str(frame.get("action"))
        if action == "send":
            await self._send_message(frame)
            return
        if action == "confirm":
            await self._confirm(frame)
            return
        if action in QUEUE_ACTIONS:
            await self._change_queue(action, frame)
            return
        if action == "show":
            self._page.begin_at(uuid_in(frame, "message"))
            return
        if action not in MESSAGE_ACTIONS:
            raise unknown(action)
        message_id = uuid_in(frame, "message")
        await read(self._authorised, self._check_message, message_id)
        await act(action, message_id, frame, self._authorised)
        await self._clear_notice()

    async def _send_message(self, frame: dict[str, Any]) -> None:
        await registry.launch(self._authorised, ask, sending_in(self._conversation_id, frame))
        await self._echo()

    async def _confirm(self, frame: dict[str, Any]) -> None:
        """The echo that a page which lost its connection may have missed, or that there is none."""
        sending = sending_in(self._conversation_id, frame)
        if await read(self._authorised, queue.is_taken, sending):
            await self._echo()
        else:
            await self._show_key(sending.form_key, missing=True)

    async def _change_queue(self, action: str, frame: dict[str, Any]) -> None:
        if action == "unqueue" and not frame.get("placed"):
            await self._return(uuid_in(frame, "queued"))
            return
        await queueing.change(action, self._conversation_id, frame, self._authorised)
        if action in queueing.SENDINGS:
            await self._echo()
            return
        await self._clear_notice()

    async def _return(self, queued_id: UUID) -> None:
        """A message to the box of the page; it waits on until the page says that it has it."""
        looked_at = read(self._authorised, queue.look_at, self._conversation_id, queued_id)
        await self._show([taken_back(queued_id, await looked_at)])

    async def _echo(self) -> None:
        """Tells this tab, and no other, that its message is stored: the box may be emptied."""
        await self._show_key(uuid.uuid4())

    async def _show_key(self, key: UUID, *, missing: bool = False) -> None:
        html = render_to_string("_key.html", {"key": key, "missing": missing})
        await self._show([Fragment("key", "outerHTML", html), Fragment("notice", "innerHTML")])

    def _check(self, user: User) -> None:
        conversation_for(user, self._conversation_id)

    def _check_message(self, user: User, message_id: UUID) -> None:
        with contextlib.suppress(Conversation.DoesNotExist):
            if message_for(user, message_id).conversation_id == self._conversation_id:
                return
        raise InvalidInput(_("That message is not part of this conversation."))

    async def _follow(self) -> None:
        """Shows the tail, then whatever changes, until the socket closes."""
        self._watch = watch = hints.watch(self._conversation_id)
        self._mark_seen()
        self._tell_what_is_left()
        try:
            await self._show_changes(watch)
        except Refused as refusal:
            await self._refuse(refusal)
        except Exception:
            logger.exception("following conversation %s failed", self._conversation_id)
            await self.close(code=BROKEN)
        finally:
            hints.unwatch(self._conversation_id, watch)
            self._leave_list(watch)
            self._marking.cancel()
            if self._telling is not None:
                self._telling.cancel()
            self._page.leave()

    async def _show_changes(self, watch: hints.Watch) -> None:
        loop = asyncio.get_running_loop()
        pace = Pace(loop.time())
        await self._show_turns(watch)
        while True:
            self._follow_list(watch)
            if self._page.is_behind:
                await asyncio.sleep(FRAME_S)
            else:
                idle_s = 0.0 if self._page.is_growing else self._until_check_s()
                await watch.change(max(idle_s, POLL_S))
            if (wait_s := pace.due_at - loop.time()) > 0:
                await asyncio.sleep(wait_s)
            if self._is_check_due():
                watch.turns_changed |= await self._has_changed()
            if watch.turns_changed or self._page.has_ended:
                await self._show_turns(watch)
            running = len(registry.running()) + mirrors.followed()
            pace.send(loop.time(), self._page.tokens, running, self._page.open_size)
            await self._show(self._page.growth())

    def _mark_seen(self) -> None:
        """In a task of its own: no token waits for a database that is locked."""
        self._marking = asyncio.create_task(self._store_seen())

    async def _store_seen(self) -> None:
        with contextlib.suppress(DatabaseTrouble, Refused):
            if await write(self._authorised, mark_seen, self._conversation_id):
                bus.announce(self._conversation_id)

    def _tell_what_is_left(self) -> None:
        """In a task of its own, as no token waits for it; at the end of what is used up it tells
        again."""
        if self._telling is not None:
            self._telling.cancel()
        self._telling = asyncio.create_task(self._show_what_is_left())

    async def _show_what_is_left(self) -> None:
        with contextlib.suppress(DatabaseTrouble, Refused):
            while await read(are_set):
                low = await read(self._authorised, lambda user: lowest_of(user.pk))
                html = left_line(low)
                if html != self._left:
                    self._left = html
                    await self._show([Fragment("left", "innerHTML", html)])
                if low is None or low.until is None:
                    return
                await asyncio.sleep(min(max(1.0, low.until - time.time()), LONGEST_WAIT_S))

    async def _has_changed(self) -> bool:
        """The half-minutely check of an idle socket: whether the person or the rows changed."""
        with contextlib.suppress(DatabaseTrouble):
            trace = await read(trace_of, self._session_key, self._conversation_id)
            is_same, self._trace = trace is not None and trace == self._trace, trace
            if is_same:
                self._checked_at = time.monotonic()
            return not is_same
        return False

    async def _show_turns(self, watch: hints.Watch) -> None:
        """Brings the page's messages in line with the rows: new ones, ended ones, replaced ones."""
        watch.turns_changed = False
        try:
            if self._is_check_due():
                await read(self._authorised, self._checked)
            news = await read(self._page.news)
        except Conversation.DoesNotExist:
            raise Refused(NOT_FOUND, str(NO_SUCH_CONVERSATION)) from None
        except DatabaseTrouble as error:
            logger.warning("conversation %s not read: %s", self._conversation_id, error)
            self._trace = None  # what it told was not checked
            await asyncio.sleep(POLL_S)
            watch.wake(turns_changed=True)
            return
        await reach("rows.read")
        for _step in self._page.preparing(news):
            await asyncio.sleep(FRAME_S)
        fragments, ended = self._page.take(news)
        if ended:
            self._tell_what_is_left()
        if any(isinstance(source, mirrors.Mirror) for source in ended):
            self._mark_seen()  # the process that made it could not know of this reader
        await self._show(fragments)


def _tail_in(query: dict[str, str]) -> Tail:
    """What the page says of itself in the address: `first` is the first message that it shows,
    `after` the last of those that came with it, `known` those, `shown` what sockets before this one
    brought."""
    after, first = _id_in(query, "after"), _id_in(query, "first")
    return Tail(after, first, _looks_in(query, "shown"), _looks_in(query, "known"))


def _id_in(query: dict[str, str], name: str) -> UUID | None:
    """None for nonsense."""
    with contextlib.suppress(ValueError):
        return UUID(query.get(name, ""))
    return None


def _looks_in(query: dict[str, str], name: str) -> dict[UUID, str]:
    """`id.look,id.look,…` → looks by id; empty for nonsense, and then the tail comes whole."""
    told = [each.partition(".") for each in query.get(name, "").split(",")]
    with contextlib.suppress(ValueError):
        shown = {UUID(message_id): look for message_id, _, look in told}
        return shown if len(shown) == len(told) else {}
    return {}
