"""The page of running replies, its socket, and Cancel."""

import asyncio
import logging

from django.contrib import messages
from django.contrib.auth.models import User
from django.db import Error as DatabaseTrouble
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from chatapp.admin.operations import running
from chatapp.admin.operations.access import OPERATE, for_those_who_may, may, page
from chatapp.database import read, write
from chatapp.errors import InvalidInput
from chatapp.forms import clean_text, uuid_of
from chatapp.generation import registry
from chatapp.models import Message
from chatapp.models.audit import Action
from chatapp.oversight import audit
from chatapp.rendering.fragments import Fragment
from chatapp.sockets import (
    BROKEN,
    NOT_FOUND,
    TOO_MANY,
    UNASKED,
    PageSocket,
    Refused,
)
from chatapp.views.access import HtmxRequest

logger = logging.getLogger(__name__)

FRAME_S = 1.0
NOT_ALLOWED = gettext_lazy("You have no right to watch running replies.")


@require_safe
@for_those_who_may(OPERATE)
async def live(request: HttpRequest) -> HttpResponseBase:
    return await read(_live, request)


@require_http_methods(["GET", "POST"])
@for_those_who_may(OPERATE)
async def cancel(request: HtmxRequest) -> HttpResponseBase:
    """Stops a reply wherever it runs, as its person's own Stop would; a GET, as after signing in
    half-way, leads to the page."""
    if request.method == "GET":
        return redirect("running")
    sentence = _("That reply had ended already.")
    reply = await read(_named, request)
    if reply is not None:
        await write(_record, request, reply)
        await registry.stop(reply.pk)
        person = reply.conversation.owner.get_username()
        sentence = _("The reply to %(person)s is being stopped.") % {"person": person}
    if request.htmx:
        return render(request, "admin/operations/cancelled.html", {"sentence": sentence})
    messages.info(request, sentence)
    return redirect("running")


class RunningSocket(PageSocket):
    """Sends the table anew whenever it looks different, at most once a second."""

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        await self._refuse(Refused(TOO_MANY, str(UNASKED)))

    async def _follow(self) -> None:
        try:
            await self._show_table()
        except Refused as refusal:
            await self._refuse(refusal)
        except Exception:
            logger.exception("following the running replies failed")
            await self.close(code=BROKEN)

    def _check(self, user: User) -> None:
        if not may(user, OPERATE):
            raise Refused(NOT_FOUND, str(NOT_ALLOWED))

    async def _show_table(self) -> None:
        endpoint, shown = clean_text(self.query.get("endpoint", "")), ""
        while True:
            try:
                if self._is_check_due():
                    await read(self._authorised, self._checked)
                html = await read(table, endpoint)
            except DatabaseTrouble as error:
                logger.warning("running replies not read: %s", error)
                html = shown
            if html != shown:
                await self._show([Fragment("running", "innerMorph", html)])
                shown = html
            await asyncio.sleep(FRAME_S)


def table(endpoint: str) -> str:
    """The part of the page that changes."""
    context = {"board": running.board(endpoint), "endpoint": endpoint}
    return render_to_string("admin/operations/_running.html", context)


def _live(request: HttpRequest) -> HttpResponse:
    endpoint = clean_text(request.GET.get("endpoint", ""))
    context = {"endpoint": endpoint, "table": table(endpoint)}
    return page(request, "live.html", _("Running replies"), **context)


def _named(request: HttpRequest) -> Message | None:
    """The running reply that the form names; None if there is none, as for nonsense."""
    try:
        return running.find(uuid_of(request.POST.get("message", "")))
    except InvalidInput:
        return None


def _record(request: HttpRequest, reply: Message) -> None:
    # Named without its text, which nobody reads here.
    subject = Message(pk=reply.pk, role=reply.role, status=reply.status)
    audit.record(
        request,
        Action.CANCEL,
        subject,
        person=reply.conversation.owner.get_username(),
        endpoint=reply.endpoint_name,
        model=reply.model,
    )
