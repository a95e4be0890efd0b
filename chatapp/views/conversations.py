"""A person's conversations as pages: an empty one, one that goes on, and more of a long one."""

from uuid import UUID

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest

from chatapp.composing import presets
from chatapp.composing.chat_settings import first_settings
from chatapp.database import read
from chatapp.errors import InvalidInput
from chatapp.forms import uuid_of
from chatapp.models import conversation_for
from chatapp.models.tree import tree_of
from chatapp.page import window
from chatapp.views.access import private_page, user_of_request
from chatapp.views.chat_page import chat_page, preset_in, preset_shown


@private_page
async def home(request: HttpRequest) -> HttpResponse:
    """An empty conversation, which begins to exist with its first message."""
    return await read(_home, request, await user_of_request(request))


@private_page
async def show(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """The newest messages, or those around the `message` that the address names."""
    return await read(_show, request, await user_of_request(request), conversation_id)


@private_page
async def part(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """More messages for a page that has some: the articles and a link to what is still left."""
    return await read(_part, request, await user_of_request(request), conversation_id)


def _home(request: HttpRequest, user: User) -> HttpResponse:
    preset = preset_in(request, user)
    settings = first_settings(user, kept=preset)
    return chat_page(request, user, None, settings=settings, **preset_shown(preset))


def _show(request: HttpRequest, user: User, conversation_id: UUID) -> HttpResponse:
    preset = preset_in(request, user)
    notice = presets.complaint(preset) if preset else ""
    return chat_page(request, user, conversation_id, notice=notice)


def _part(request: HttpRequest, user: User, conversation_id: UUID) -> HttpResponse:
    messages = tree_of(conversation_for(user, conversation_id).pk)
    try:
        before = uuid_of(request.GET.get("before", ""))
        after = uuid_of(request.GET["after"]) if request.GET.get("after") else None
    except InvalidInput as error:
        return HttpResponseBadRequest(str(error))
    forward = "forward" in request.GET
    return HttpResponse(window.next_part(messages, before, after, forward=forward))
