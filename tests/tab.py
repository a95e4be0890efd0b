"""A browser tab without a browser: the real socket application and the page its frames build."""

import asyncio
import json
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.utils import timezone

from chatapp.asgi import application
from tests.dom import Page

WAIT_S = 30.0

# Of nothing. The same in each process that collects tests, as their names hold it.
NOBODYS_ID = "3f2b8c1e-6d47-4a90-9b1f-5c0e7d8a2b46"


def sign_in(user: User) -> str:
    """A new session of `user`; returns its key."""
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[-1]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    assert session.session_key is not None
    return session.session_key


class Tab:
    """One connection to one conversation, or of a page without one.

    `lists` says that the page has a sidebar; `until` where its first page of it ended; `language`
    what the page is written in; `path` the address of any other socket; `shown` what the page has
    of its tail from a connection before.
    """

    def __init__(
        self,
        conversation_id: UUID | None,
        session_key: str = "",
        *,
        after: str = "",
        first: str = "",
        shown: str = "",
        known: str = "",
        lists: bool = False,
        until: str = "",
        language: str = "",
        origin: str | None = "http://testserver",
        path: str = "",
    ) -> None:
        headers = [(b"host", b"testserver")]
        headers.append((b"cookie", f"{settings.SESSION_COOKIE_NAME}={session_key}".encode()))
        if origin is not None:
            headers.append((b"origin", origin.encode()))
        path = path or (f"/ws/conversations/{conversation_id}/" if conversation_id else "/ws/")
        query = {"after": after, "first": first, "shown": shown, "known": known}
        query["language"] = language
        if lists:
            query |= {"list": until, "at": timezone.now().isoformat()}
        path += f"?{urlencode(query)}"
        self.socket = WebsocketCommunicator(application, path, headers)
        self.page = Page()
        self.closed_with: int | None = None

    async def __aenter__(self) -> "Tab":
        self.was_accepted, _ = await self.socket.connect(timeout=WAIT_S)
        return self

    async def __aexit__(self, *exception: object) -> None:
        if self.closed_with is None:
            await self.socket.disconnect(timeout=WAIT_S)

    async def send(self, **values: Any) -> None:
        await self.send_raw(json.dumps(values | {"headers": {"HX-Request": "true"}}))

    async def send_raw(self, text: str) -> None:
        await self.socket.send_to(text_data=text)

    async def say(self, text: str, **values: Any) -> None:
        await self.send(**{"action": "send", "text": text, "key": str(uuid.uuid4())} | values)

    async def until(self, holds: Callable[[Page], object]) -> Page:
        """Takes frames until `holds(page)`; fails with the page's state if it never does."""
        try:
            async with asyncio.timeout(WAIT_S):
                while not holds(self.page):
                    await self._take()
        except TimeoutError:
            shown = [article.text for article in self.page.articles]
            raise AssertionError(f"{shown} {self.page.buttons} {self.page.notice}") from None
        return self.page

    async def until_closed(self) -> int:
        async with asyncio.timeout(WAIT_S):
            while self.closed_with is None:
                await self._take()
        return self.closed_with

    async def _take(self) -> None:
        message = await self.socket.receive_output(timeout=WAIT_S)
        if message["type"] == "websocket.send":
            self.page.apply(message["text"])
        else:
            self.closed_with = message.get("code", 1000)
