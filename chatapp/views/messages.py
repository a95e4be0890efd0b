"""Small pages about one message: its text, its article, and the forms that act on it."""

import uuid
from uuid import UUID

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect, render

from chatapp.database import read
from chatapp.models import Message, message_for, usable_endpoints
from chatapp.models.message import path_of
from chatapp.models.tree import complete, tree_of
from chatapp.page.transcript import article, look_digest
from chatapp.views.access import HtmxRequest, private_page, user_of_request


@private_page
async def markdown(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """A message's text as it was written."""
    message = await read(message_for, await user_of_request(request), message_id)
    return HttpResponse(message.text, content_type="text/plain; charset=utf-8")


@private_page
async def show_message(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """One message's article, as after an edit that was given up."""
    return await read(_article, await user_of_request(request), message_id)


@private_page
async def elsewhere(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """The endpoints that a reply can be regenerated with, for pages without scripts."""
    return await read(_elsewhere, request, await user_of_request(request), message_id)


@private_page
async def edit_form(request: HtmxRequest, message_id: UUID) -> HttpResponse:
    """The form in which one's message is written anew, for the place where it stands."""
    message = await read(_as_shown, await user_of_request(request), message_id)
    context = {
        "message": message,
        "look": look_digest(message),
        "key": uuid.uuid4(),
        "csrf_token": get_token(request),
    }
    template = "_edit.html" if request.htmx else "edit.html"
    return await read(render, request, template, context)


@private_page
async def reason_form(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """The form that asks why a reply was rated so: a page for those without scripts."""
    message = await read(message_for, await user_of_request(request), message_id)
    if not message.rating:
        return redirect("conversation", message.conversation_id)
    return await read(render, request, "reason.html", {"message": message})


def _elsewhere(request: HttpRequest, user: User, message_id: UUID) -> HttpResponse:
    message = message_for(user, message_id)
    context = {"message": message, "endpoints": usable_endpoints(user)}
    return render(request, "elsewhere.html", context)


def _article(user: User, message_id: UUID) -> HttpResponse:
    return HttpResponse(article(_as_shown(user, message_id)))


def _as_shown(user: User, message_id: UUID) -> Message:
    """The message, knowing its versions if it is one that the page shows."""
    message = message_for(user, message_id)
    path = path_of(tree_of(message.conversation_id))
    shown = next((m for m in path if m.pk == message_id), message)
    complete([shown])
    return shown
