"""What every socket of ours does: know its session, send fragments, keep the sidebar up to date."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlencode
from uuid import UUID

from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.contrib.auth.models import User
from django.db import Error as DatabaseTrouble
from django.http import parse_cookie
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from chatapp import logs, metrics
from chatapp.database import read
from chatapp.errors import InvalidInput
from chatapp.forms import moment_of
from chatapp.generation import hints
from chatapp.models import Conversation
from chatapp.page.preferences import applied, preferences_in
from chatapp.page.sidebar import Sidebar
from chatapp.places import Place
from chatapp.rendering.fragments import Fragment, frames
from chatapp.sessions import user_of

logger = logging.getLogger(__name__)

T = TypeVar("T")

# autobahn lets applications close with these only.
SIGNED_OUT, NOT_FOUND, BROKEN, TOO_MANY, NO_PLACE = 4401, 4404, 4011, 4013, 4429
SESSION_CHECK_S = 30.0
POLL_S = 0.5
LIST_S = 1.0
SIGN_IN_AGAIN = _("You are signed out. Sign in again to go on; what you typed is still here.")
UNASKED = _("This page sends nothing here. Reload it.")
NO_SUCH_CONVERSATION = _("This conversation does not exist, or it is not yours.")
TOO_MANY_PAGES = _(
    "You have %(most)d pages open here, which is the most. Close one, then reload this one; what "
    "you typed is still here."
)
FULL = _(
    "As many pages are open here as this server can hold. Reload this one in a moment; what you "
    "typed is still here."
)
ELSEWHERE = _("This page is connected from somewhere else. Reload it to go on here.")


class Refused(Exception):
    """The person may not go on with this socket; `code` closes it."""

    def __init__(self, code: int, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


class PageSocket(AsyncWebsocketConsumer):  # type: ignore[misc]
    """One browser tab's connection; `_follow` is what it does until it closes."""

    _follower: asyncio.Task[None] | None = None
    _place: Place | None = None
    _watch: hints.Watch | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        logs.begin_request(_header(scope, b"x-request-id"))
        try:
            preferences = applied(preferences_in(_cookies(scope)))
            with preferences, translation.override(_language(scope)), self._counted():
                await super().__call__(scope, receive, send)
        finally:
            # Not in `disconnect`: the server cancels applications without calling it.
            if self._follower is not None:
                self._follower.cancel()
            if self._place is not None:
                self._place.leave()

    async def dispatch(self, message: dict[str, Any]) -> None:
        # Channels would first close old connections on asgiref's one shared thread, where a slow
        # query of anybody's holds up everybody. Our database work runs on threads of its own.
        await getattr(self, message["type"].replace(".", "_"))(message)

    async def connect(self) -> None:
        # Accept first: a refused handshake looks like a broken network to the browser, which
        # would try again for ever.
        await self.accept()
        arguments = self.scope["url_route"]["kwargs"]
        self._checked_at = -SESSION_CHECK_S
        self._user: User | None = None
        self._session_key = _cookies(self.scope).get(settings.SESSION_COOKIE_NAME)
        self._sidebar = _sidebar(self.query, arguments.get("conversation_id"))
        self._is_list_watched = False
        self._listed_at = -LIST_S
        self._listing: asyncio.Task[None] | None = None
        self._place = Place(self._page_address(), self._give_way(), self._look_again())
        if self._place.take():
            self._follower = asyncio.create_task(self._follow())
        else:
            await self._refuse(Refused(NO_PLACE, str(FULL)))

    def _counted(self) -> AbstractContextManager[None]:
        return metrics.SOCKETS.labels(type(self).__name__).track_inprogress()

    @property
    def query(self) -> dict[str, str]:
        return _query(self.scope)

    def _page_address(self) -> str:
        """The same for every socket of a page, whatever it shows by then."""
        had = ("shown", "known")
        query = {name: value for name, value in self.query.items() if name not in had}
        return f"{self.scope['path']}?{urlencode(query)}"

    async def _follow(self) -> None:
        raise NotImplementedError

    def _authorised(self, work: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """`work(user, …)` for the session's user, checked in the same visit to the database."""
        user = user_of(self._session_key)
        if user is None:
            raise Refused(SIGNED_OUT, str(SIGN_IN_AGAIN))
        if self._place is not None and not self._place.is_for(user.pk):
            most = {"most": settings.LIMIT_SOCKETS_A_PERSON}
            raise Refused(NO_PLACE, str(TOO_MANY_PAGES) % most)
        self._user = user
        try:
            return work(user, *args, **kwargs)
        except Conversation.DoesNotExist:
            raise Refused(NOT_FOUND, str(NO_SUCH_CONVERSATION)) from None

    def _give_way(self) -> Callable[[], None]:
        """Closes this socket, called on any thread."""
        loop = asyncio.get_running_loop()

        def give_way() -> None:
            asyncio.run_coroutine_threadsafe(self._refuse(Refused(NO_PLACE, str(ELSEWHERE))), loop)

        return give_way

    def _look_again(self) -> Callable[[], None]:
        """Has the check made now, called on any thread."""
        loop = asyncio.get_running_loop()

        def look_again() -> None:
            loop.call_soon_threadsafe(self._check_now)

        return look_again

    def _check_now(self) -> None:
        self._checked_at = -SESSION_CHECK_S
        if self._watch is not None:
            self._watch.wake()

    def _checked(self, user: User) -> None:
        """Notes that the page may be shown to them now; until that was so once, nothing is."""
        self._check(user)
        self._checked_at = time.monotonic()

    def _check(self, user: User) -> None:
        """Raises Refused or DoesNotExist if the page is none of theirs."""

    def _is_check_due(self) -> bool:
        return self._until_check_s() <= 0

    def _until_check_s(self) -> float:
        return self._checked_at + SESSION_CHECK_S - time.monotonic()

    def _follow_list(self, watch: hints.Watch) -> None:
        """Has the page's list brought in line soon if it may have changed; returns at once.

        In a task of its own, which there is only while it is needed: no token waits for a list.
        """
        if self._sidebar is None or self._user is None:
            return
        if not self._is_list_watched:
            self._is_list_watched = watch.list_changed = True
            hints.watch_list(self._user.pk, watch)
        if watch.list_changed and (self._listing is None or self._listing.done()):
            self._listing = asyncio.create_task(self._show_list(self._sidebar, watch))

    def _leave_list(self, watch: hints.Watch) -> None:
        if self._is_list_watched and self._user is not None:
            hints.unwatch_list(self._user.pk, watch)
        if self._listing is not None:
            self._listing.cancel()

    async def _show_list(self, sidebar: Sidebar, watch: hints.Watch) -> None:
        """At most once a second, however often something changes."""
        while watch.list_changed:
            await asyncio.sleep(self._listed_at + LIST_S - time.monotonic())
            self._listed_at = time.monotonic()
            watch.list_changed = False
            try:
                fragments = await read(self._authorised, sidebar.changes)
            except Refused as refusal:
                await self._refuse(refusal)
                return
            except DatabaseTrouble as error:
                logger.warning("a list was not read: %s", error)
                watch.list_changed = True
                continue
            await self._show(fragments)

    async def _show(self, fragments: Iterable[Fragment]) -> None:
        for frame in frames(fragments):
            await self.send(text_data=frame)

    async def _notice(self, sentence: str, *, sign_in: bool = False) -> None:
        context = {"text": sentence, "sign_in": sign_in}
        html = render_to_string("_notice.html", context)
        await self._show([Fragment("notice", "innerHTML", html)])

    async def _clear_notice(self) -> None:
        await self._show([Fragment("notice", "innerHTML")])

    async def _refuse(self, refusal: Refused) -> None:
        await self._notice(str(refusal), sign_in=refusal.code == SIGNED_OUT)
        await self.close(code=refusal.code)


class ListSocket(PageSocket):
    """The connection of a page that has no conversation yet: its sidebar, and nothing else."""

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        await self._refuse(Refused(TOO_MANY, str(UNASKED)))

    async def _follow(self) -> None:
        self._watch = watch = hints.Watch()
        try:
            while True:
                if self._is_check_due():
                    await self._check_session()
                self._follow_list(watch)
                await watch.change(max(self._until_check_s(), POLL_S))
        except Refused as refusal:
            await self._refuse(refusal)
        except Exception:
            logger.exception("following a list failed")
            await self.close(code=BROKEN)
        finally:
            watch.close()
            self._leave_list(watch)

    async def _check_session(self) -> None:
        with contextlib.suppress(DatabaseTrouble):
            await read(self._authorised, self._checked)


def _sidebar(query: dict[str, str], current: UUID | None) -> Sidebar | None:
    """None for a page without a sidebar, and for nonsense."""
    if since := moment_of(query.get("at", "")):
        with contextlib.suppress(InvalidInput):
            return Sidebar(current, query.get("list", ""), since)
    return None


def _query(scope: dict[str, Any]) -> dict[str, str]:
    """What the page says behind the question mark."""
    pairs = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    return {name: values[0] for name, values in pairs.items()}


def _language(scope: dict[str, Any]) -> str:
    """The page's own, so that what comes later reads as it does, whatever was chosen meanwhile."""
    told = _query(scope).get("language", "")
    return told if told in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE


def _cookies(scope: dict[str, Any]) -> dict[str, str]:
    return parse_cookie(_header(scope, b"cookie"))


def _header(scope: dict[str, Any], name: bytes) -> str:
    """Empty if it was not sent."""
    value: bytes = dict(scope["headers"]).get(name, b"")
    return value.decode("latin-1")
