"""The socket: frames of one signed-in person in → their conversation's fragments out.

Authorise, parse, start and stop; and follow the conversation with a read-only position on its
logs. Nothing long is ever awaited in `receive`: the following is a task of its own.
"""

import asyncio
import contextlib
import logging
import time
import uuid
from collections.abc import Callable, Iterable
from itertools import chain
from typing import Any, TypeVar
from urllib.parse import parse_qs
from uuid import UUID

from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.contrib.auth.models import User
from django.db import Error as DatabaseTrouble
from django.http import parse_cookie
from django.template.loader import render_to_string

from chatapp.actions import MESSAGE_ACTIONS, act, unknown
from chatapp.database import read, write
from chatapp.errors import InvalidInput
from chatapp.failpoints import reach
from chatapp.forms import clean_text, endpoint_id_in, parse, uuid_in
from chatapp.generation import hints, mirrors, registry
from chatapp.generation.turns import Sending, ask
from chatapp.library import mark_seen
from chatapp.models import Conversation, Message, conversation_for, message_for
from chatapp.pacing import Allowance, frame_s
from chatapp.rendering.fragments import Fragment, frames
from chatapp.sessions import trace_of, user_of
from chatapp.tail import Tail
from chatapp.transcript import (
    Position,
    article,
    element_id,
    ending,
    growth,
    live_article,
)

logger = logging.getLogger(__name__)

T = TypeVar("T")

# autobahn lets applications close with these only.
SIGNED_OUT, NOT_FOUND, BROKEN, TOO_MANY = 4401, 4404, 4011, 4013
FRAMES_AT_ONCE, FRAMES_A_SECOND = 20, 10.0
SESSION_CHECK_S = 30.0
POLL_S = 0.5
SIGN_IN_AGAIN = "You are signed out. Sign in again to go on; what you typed is still here."
DATABASE_TROUBLE = "The database does not answer just now. Nothing is lost: try again in a moment."
TOO_FAST = "Too much at once: this page was disconnected and comes back in a moment."
NO_SUCH_CONVERSATION = "This conversation does not exist, or it is not yours."


class Refused(Exception):
    """The person may not go on with this socket; `code` closes it."""

    def __init__(self, code: int, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


class ConversationConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    """One browser tab's connection to one conversation."""

    _follower: asyncio.Task[None] | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            # Not in `disconnect`: the server cancels applications without calling it.
            if self._follower is not None:
                self._follower.cancel()

    async def dispatch(self, message: dict[str, Any]) -> None:
        # Channels would first close old connections on asgiref's one shared thread, where a slow
        # query of anybody's holds up everybody. Our database work runs on threads of its own.
        await getattr(self, message["type"].replace(".", "_"))(message)

    async def connect(self) -> None:
        # Accept first: a refused handshake looks like a broken network to the browser, which
        # would try again for ever.
        await self.accept()
        self._positions: dict[UUID, Position] = {}
        self._allowance = Allowance(FRAMES_AT_ONCE, FRAMES_A_SECOND)
        self._checked_at = -SESSION_CHECK_S
        self._trace: tuple[Any, ...] | None = None
        self._has_buttons = False
        self._stoppable: UUID | None = None
        self._tail = Tail(_after(self.scope))
        self._conversation_id: UUID = self.scope["url_route"]["kwargs"]["conversation_id"]
        self._session_key = _cookies(self.scope).get(settings.SESSION_COOKIE_NAME)
        self._follower = asyncio.create_task(self._follow())

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if not self._allowance.take():
            await self._refuse(Refused(TOO_MANY, TOO_FAST))
            return
        try:
            await self._act(parse(text_data))
        except InvalidInput as error:
            await self._notice(str(error))
        except Refused as refusal:
            await self._refuse(refusal)
        except DatabaseTrouble:
            logger.exception("a frame for conversation %s was not stored", self._conversation_id)
            await self._notice(DATABASE_TROUBLE)

    async def _act(self, frame: dict[str, Any]) -> None:
        action = str(frame.get("action"))
        if action == "send":
            await self._send_message(frame)
            return
        if action not in MESSAGE_ACTIONS:
            raise unknown(action)
        message_id = uuid_in(frame, "message")
        await read(self._authorised, self._check_message, message_id)
        await act(action, message_id, frame, self._authorised)
        await self._clear_notice()

    async def _send_message(self, frame: dict[str, Any]) -> None:
        sending = Sending(
            self._conversation_id,
            clean_text(frame.get("text")),
            uuid_in(frame, "key"),
            endpoint_id_in(frame),
        )
        await registry.launch(self._authorised, ask, sending)
        await self._echo()

    async def _echo(self) -> None:
        """Tells this tab, and no other, that its message is stored: the box may be emptied."""
        key = render_to_string("_key.html", {"key": uuid.uuid4()})
        await self._show([Fragment("key", "outerHTML", key), Fragment("notice", "innerHTML")])

    def _authorised(self, work: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """`work(user, …)` for the session's user, checked in the same visit to the database."""
        user = user_of(self._session_key)
        if user is None:
            raise Refused(SIGNED_OUT, SIGN_IN_AGAIN)
        self._checked_at = time.monotonic()
        try:
            return work(user, *args, **kwargs)
        except Conversation.DoesNotExist:
            raise Refused(NOT_FOUND, NO_SUCH_CONVERSATION) from None

    def _is_check_due(self) -> bool:
        return time.monotonic() - self._checked_at > SESSION_CHECK_S

    def _own_conversation(self, user: User) -> Conversation:
        return conversation_for(user, self._conversation_id)

    def _check_message(self, user: User, message_id: UUID) -> None:
        with contextlib.suppress(Conversation.DoesNotExist):
            if message_for(user, message_id).conversation_id == self._conversation_id:
                return
        raise InvalidInput("That message is not part of this conversation.")

    async def _follow(self) -> None:
        """Shows the tail, then whatever changes, until the socket closes."""
        watch = hints.watch(self._conversation_id)
        marking = asyncio.create_task(self._mark_seen())
        try:
            await self._show_changes(watch)
        except Refused as refusal:
            await self._refuse(refusal)
        except Exception:
            logger.exception("following conversation %s failed", self._conversation_id)
            await self.close(code=BROKEN)
        finally:
            hints.unwatch(self._conversation_id, watch)
            marking.cancel()
            self._positions.clear()

    async def _show_changes(self, watch: hints.Watch) -> None:
        loop = asyncio.get_running_loop()
        sent_at = loop.time()
        await self._show_turns(watch)
        while True:
            await watch.change(POLL_S if self._positions else SESSION_CHECK_S)
            wait_s = sent_at + self._frame_s() - loop.time()
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            if self._is_check_due():
                watch.turns_changed |= await self._has_changed()
            if watch.turns_changed or self._has_ended():
                await self._show_turns(watch)
            sent_at = loop.time()
            await self._show(chain.from_iterable(map(growth, self._positions.values())))

    async def _mark_seen(self) -> None:
        """A task of its own: no token waits for a database that is locked."""
        with contextlib.suppress(DatabaseTrouble, Refused):
            await write(self._authorised, mark_seen, self._conversation_id)

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
                await read(self._authorised, self._own_conversation)
            messages = await read(self._messages)
        except DatabaseTrouble as error:
            logger.warning("conversation %s not read: %s", self._conversation_id, error)
            watch.turns_changed = True
            await asyncio.sleep(POLL_S)
            return
        await reach("rows.read")
        # From here to the end nothing is awaited: rows, logs and positions fit together.
        fragments = self._tail.bring_to(messages, self._article, self._change)
        self._positions = {i: p for i, p in self._positions.items() if i in self._tail}
        await self._show(fragments + self._buttons())

    def _article(self, message: Message) -> str:
        if not message.is_live:
            return article(message)
        source = registry.find(message.pk) or mirrors.follow(message)
        html, self._positions[message.pk] = live_article(message, source)
        return html

    def _change(self, message: Message) -> list[Fragment]:
        """A message that the page shows, as it looks now."""
        position = self._positions.pop(message.pk, None)
        if position is not None and not message.is_live:
            return ending(position, message)
        return [Fragment(element_id("message", message.pk), "outerHTML", self._article(message))]

    def _buttons(self) -> list[Fragment]:
        """Send or Stop, whenever which of them it is has changed."""
        live = next(iter(self._positions), None)
        if self._has_buttons and live == self._stoppable:
            return []
        self._has_buttons, self._stoppable = True, live
        buttons = render_to_string("_buttons.html", {"live": live})
        return [Fragment("buttons", "innerHTML", buttons)]

    def _messages(self) -> list[Message]:
        """All rows; settled ones that the page lacks are rendered here, off the event loop."""
        mine = Message.objects.filter(conversation=self._conversation_id)
        messages = list(mine.filter(conversation__deleted_at=None))
        if (
            not messages
            and not Conversation.objects.filter(pk=self._conversation_id, deleted_at=None).exists()
        ):
            raise Refused(NOT_FOUND, NO_SUCH_CONVERSATION)
        for message in self._tail.lacks(messages):
            if not message.is_live:
                article(message)
        return messages

    def _has_ended(self) -> bool:
        return any(position.reply.source.is_saved for position in self._positions.values())

    def _frame_s(self) -> float:
        open_size = sum(position.reply.open_size for position in self._positions.values())
        return frame_s(len(registry.running()) + mirrors.followed(), open_size)

    async def _show(self, fragments: Iterable[Fragment]) -> None:
        for frame in frames(fragments):
            await self.send(text_data=frame)

    async def _notice(self, sentence: str) -> None:
        context = {"text": sentence, "sign_in": sentence == SIGN_IN_AGAIN}
        html = render_to_string("_notice.html", context)
        await self._show([Fragment("notice", "innerHTML", html)])

    async def _clear_notice(self) -> None:
        await self._show([Fragment("notice", "innerHTML")])

    async def _refuse(self, refusal: Refused) -> None:
        await self._notice(str(refusal))
        await self.close(code=refusal.code)


def _cookies(scope: dict[str, Any]) -> dict[str, str]:
    headers = dict(scope["headers"])
    return parse_cookie(headers.get(b"cookie", b"").decode("latin-1"))


def _after(scope: dict[str, Any]) -> UUID | None:
    """The id of the last message that the page has, None for an empty page or nonsense."""
    values = parse_qs(scope["query_string"].decode("latin-1")).get("after", [""])
    with contextlib.suppress(ValueError):
        return UUID(values[0])
    return None
