"""A person's conversations: their list, one transcript, and its actions as plain forms.

The socket does the same actions; the forms are what remains before, or without, any script.
"""

import contextlib
import uuid
from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect, render

from chatapp import curation, library
from chatapp.actions import act
from chatapp.database import read, write
from chatapp.errors import InvalidInput
from chatapp.forms import clean_text, endpoint_id_in, uuid_in
from chatapp.generation import registry, turns
from chatapp.generation.turns import Sending
from chatapp.models import Conversation, Endpoint, conversation_for, message_for
from chatapp.models.message import path_of
from chatapp.transcript import article
from chatapp.views.access import private_form, private_page, user_of_request

T = TypeVar("T")


@private_page
async def home(request: HttpRequest) -> HttpResponse:
    """An empty conversation, which begins to exist with its first message."""
    return await read(_page, request, await user_of_request(request), None)


@private_page
async def show(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    return await read(_page, request, await user_of_request(request), conversation_id)


@private_form
async def send(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    user = await user_of_request(request)
    text = request.POST.get("text", "").replace("\r\n", "\n")
    try:
        sending = Sending(
            conversation_id,
            clean_text(text),
            uuid_in(request.POST, "key"),
            endpoint_id_in(request.POST),
        )
        await registry.launch(turns.ask_first, user, sending)
    except InvalidInput as error:
        return await read(_refused, request, user, conversation_id, text, str(error))
    return redirect("conversation", conversation_id)


@private_form
async def act_on(request: HttpRequest, message_id: UUID, action: str) -> HttpResponse:
    """What the socket does with the same name."""
    user = await user_of_request(request)
    message = await read(message_for, user, message_id)

    def authorised(work: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        return work(user, *args, **kwargs)

    try:
        await act(action, message_id, request.POST.dict(), authorised)
    except InvalidInput as error:
        return await read(_refused, request, user, message.conversation_id, "", str(error))
    return redirect("conversation", message.conversation_id)


@private_form
async def fork(request: HttpRequest, message_id: UUID) -> HttpResponse:
    user = await user_of_request(request)
    try:
        conversation = await write(curation.fork, user, message_id)
    except InvalidInput as error:
        message = await read(message_for, user, message_id)
        return await read(_refused, request, user, message.conversation_id, "", str(error))
    return redirect("conversation", conversation.pk)


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
async def edit_form(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """The form in which one's message is written anew, for the place where it stands."""
    message = await read(message_for, await user_of_request(request), message_id)
    context = {"message": message, "key": uuid.uuid4(), "csrf_token": get_token(request)}
    template = "_edit.html" if request.headers.get("HX-Request") else "edit.html"
    return await read(render, request, template, context)


def _article(user: User, message_id: UUID) -> HttpResponse:
    message = message_for(user, message_id)
    path = path_of(list(message.conversation.messages.all()))
    return HttpResponse(article(next((m for m in path if m.pk == message_id), message)))


def _refused(
    request: HttpRequest, user: User, conversation_id: UUID, text: str, notice: str
) -> HttpResponse:
    """The page again with what was typed still in the box, and why it was not taken."""
    known = Conversation.objects.filter(pk=conversation_id).exists()
    extra: dict[str, Any] = {"text": text, "notice": notice, "new_id": conversation_id}
    with contextlib.suppress(InvalidInput):
        extra["picked"] = endpoint_id_in(request.POST)
    return _page(request, user, conversation_id if known else None, status=422, **extra)


def _page(
    request: HttpRequest, user: User, conversation_id: UUID | None, status: int = 200, **extra: Any
) -> HttpResponse:
    conversation = conversation_for(user, conversation_id) if conversation_id else None
    path = path_of(list(conversation.messages.all())) if conversation else []
    settled = next((i for i, message in enumerate(path) if message.is_live), len(path))
    context = {
        "conversation": conversation,
        "picked": conversation.endpoint_id if conversation else None,
        "listing": library.listing(user),
        "endpoints": list(Endpoint.objects.filter(enabled=True)),
        "history": [article(message) for message in path[:settled]],
        "tail": [article(message) for message in path[settled:]],
        "after": path[settled - 1].pk if settled else "",
        "live": next((message.pk for message in path if message.is_live), None),
        "new_id": uuid.uuid4(),
        "key": uuid.uuid4(),
        "actions": ("continue", "choose", "like", "dislike", "unrate", "remove"),
        **extra,
    }
    return render(request, "conversation.html", context, status=status)
