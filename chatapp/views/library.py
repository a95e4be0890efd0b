"""The list of a person's conversations, and what they do with whole ones: plain pages and forms."""

from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.urls import reverse

from chatapp.database import read, write
from chatapp.errors import InvalidInput
from chatapp.forms import clean_text, uuid_of
from chatapp.generation import bus
from chatapp.library import catalog
from chatapp.library.search import MOST_HITS, search
from chatapp.views.access import HtmxRequest, private_form, private_page, user_of_request

Change = Callable[[User, list[UUID]], int]

CHANGES: dict[str, Change] = {
    "pin": lambda user, ids: catalog.pin(user, ids, on=True),
    "unpin": lambda user, ids: catalog.pin(user, ids, on=False),
    "archive": lambda user, ids: catalog.archive(user, ids, on=True),
    "unarchive": lambda user, ids: catalog.archive(user, ids, on=False),
    "delete": catalog.delete,
    "restore": catalog.restore,
}
# Deleted ones are named in the next address, of which servers take 8 KiB.
_MOST = 200


@private_page
async def index(request: HtmxRequest) -> HttpResponse:
    """All conversations; for htmx only the next ones, as the sidebar wants them."""
    user = await user_of_request(request)
    try:
        return await read(_index, request, user)
    except InvalidInput as error:
        return HttpResponseBadRequest(str(error))


@private_form
async def change(request: HttpRequest, action: str) -> HttpResponse:
    """Does it to every conversation that is named `conversation` in the form."""
    if action not in CHANGES:
        raise Http404
    user = await user_of_request(request)
    try:
        ids = [uuid_of(value) for value in request.POST.getlist("conversation")[:_MOST]]
    except InvalidInput as error:
        return HttpResponseBadRequest(str(error))
    changed = await write(CHANGES[action], user, ids)
    for conversation_id in ids:
        bus.announce(conversation_id)
    if action == "delete" and ids:
        deleted = urlencode({"deleted": ",".join(map(str, ids))})
        return redirect(f"{reverse('conversations')}?{deleted}")
    if len(ids) == 1 and changed and action in ("pin", "unpin", "restore"):
        return redirect("conversation", ids[0])
    return redirect("conversations")


@private_form
async def rename(request: HtmxRequest, conversation_id: UUID) -> HttpResponse:
    user = await user_of_request(request)
    try:
        await write(catalog.rename, user, conversation_id, request.POST.get("title", ""))
    except InvalidInput as error:
        return await read(partial(_index, request, user, notice=str(error)))
    bus.announce(conversation_id)
    return redirect("conversation", conversation_id)


@private_page
async def find(request: HttpRequest) -> HttpResponse:
    """Conversations by words in their titles and messages."""
    return await read(_find, request, await user_of_request(request))


def _find(request: HttpRequest, user: User) -> HttpResponse:
    query = clean_text(request.GET.get("q", "")).strip()
    context: dict[str, Any] = {"query": query, "notice": "", "most": MOST_HITS}
    try:
        context["hits"] = search(user, query)
    except InvalidInput as error:
        context["notice"] = str(error)
    return render(request, "search.html", context, status=422 if context["notice"] else 200)


def _index(request: HtmxRequest, user: User, **extra: Any) -> HttpResponse:
    is_archive = "archived" in request.GET
    page = catalog.listing(user, request.GET.get("after", ""), archived=is_archive)
    context = {"listing": page, "archived": is_archive, "deleted": _deleted(request), **extra}
    template = "_listing.html" if request.htmx else "conversations.html"
    return render(request, template, context, status=422 if "notice" in extra else 200)


def _deleted(request: HttpRequest) -> list[UUID]:
    """Those that were deleted just now and can still be brought back."""
    try:
        return [uuid_of(value) for value in request.GET.get("deleted", "").split(",") if value]
    except InvalidInput:
        return []
