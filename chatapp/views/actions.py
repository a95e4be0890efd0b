"""What a person does to a conversation, as plain forms: the page again says what was refused.

The socket does the same actions; the forms are what remains before, or without, any script.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from chatapp.composing import attachments, queueing
from chatapp.composing.actions import QUEUE_ACTIONS, Authorised, act
from chatapp.composing.chat_settings import first_settings
from chatapp.database import read, write
from chatapp.errors import InvalidInput
from chatapp.forms import attachment_ids, clean_text, endpoint_id_in, uuid_in
from chatapp.generation import bus, registry, turns
from chatapp.generation.turns import Sending
from chatapp.library import curation
from chatapp.models import message_for
from chatapp.models.attachment import MAX_FILES
from chatapp.views.access import private_form, user_of_request
from chatapp.views.chat_page import chat_page, refused

T = TypeVar("T")


@private_form
async def send(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    user = await user_of_request(request)
    text = _typed(request).get("text", "")
    files: list[UUID] = []
    try:
        await _take_files(request, user, files)
        sending = Sending(
            conversation_id,
            clean_text(text),
            uuid_in(request.POST, "key"),
            endpoint_id_in(request.POST),
            tuple(files),
            await read(_settings_in, request, user),
        )
        await registry.launch(turns.ask_first, user, sending)
    except InvalidInput as error:
        return await read(refused, request, user, conversation_id, text, str(error), files)
    return redirect("conversation", conversation_id)


@private_form
async def act_on(request: HttpRequest, message_id: UUID, action: str) -> HttpResponse:
    """What the socket does with the same name."""
    user = await user_of_request(request)
    message = await read(message_for, user, message_id)
    form = _typed(request)
    try:
        await act(action, message_id, form, _authorised(user))
    except InvalidInput as error:
        text = form.get("text", "")
        return await read(refused, request, user, message.conversation_id, text, str(error))
    place = f"#message-{message_id}" if action == "choose" else ""
    return redirect(reverse("conversation", args=[message.conversation_id]) + place)


@private_form
async def change_queue(request: HttpRequest, conversation_id: UUID, action: str) -> HttpResponse:
    """What the socket does with the same name; a text that is taken back comes in the box."""
    if action not in QUEUE_ACTIONS:
        raise Http404
    user = await user_of_request(request)
    text = _typed(request).get("text", "")
    files: list[UUID] = []
    try:
        if action in queueing.SENDINGS:
            await _take_files(request, user, files)
        form = _typed(request) | {"text": text, "attachment": list(map(str, files))}
        returned = await queueing.change(action, conversation_id, form, _authorised(user))
    except InvalidInput as error:
        return await read(refused, request, user, conversation_id, text, str(error), files)
    if returned:
        shown: dict[str, Any] = {"text": returned.text, "files": returned.files}
        return await read(partial(chat_page, request, user, conversation_id, **shown))
    return redirect("conversation", conversation_id)


@private_form
async def fork(request: HttpRequest, message_id: UUID) -> HttpResponse:
    user = await user_of_request(request)
    try:
        conversation = await write(curation.fork, user, message_id)
    except InvalidInput as error:
        message = await read(message_for, user, message_id)
        return await read(refused, request, user, message.conversation_id, "", str(error))
    bus.announce(conversation.pk)
    return redirect("conversation", conversation.pk)


def _typed(request: HttpRequest) -> dict[str, str]:
    """What a form sent, its lines ended as they were typed: on their way browsers add a return."""
    return {name: text.replace("\r\n", "\n") for name, text in request.POST.dict().items()}


async def _take_files(request: HttpRequest, user: User, ids: list[UUID]) -> None:
    """Keeps the form's files and adds the ids of all that go with it; then says what is wrong with
    the others."""
    key = uuid_in(request.POST, "key")
    ids += attachment_ids(request.POST.getlist("attachment"))
    complaints: list[str] = []
    for file in request.FILES.getlist("file")[: MAX_FILES + 1]:
        data, size = file.read(), file.size or 0
        try:
            kept = await write(attachments.store, user, file.name or "", data, size, key)
        except InvalidInput as error:
            complaints.append(str(error))
        else:
            ids += [kept.pk] if kept.pk not in ids else []
    if complaints:
        raise InvalidInput(" ".join(complaints))


def _settings_in(request: HttpRequest, user: User) -> dict[str, Any]:
    """The settings that a first message brings along."""
    form = first_settings(user, request.POST)
    if not form.is_valid():
        raise InvalidInput(form.complaints())
    values = form.values()
    return {name: values[name] for name in ("system_prompt", "parameters")}


def _authorised(user: User) -> Authorised:
    """How actions know the person of a form."""

    def authorised(work: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        return work(user, *args, **kwargs)

    return authorised
