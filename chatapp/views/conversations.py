"""A person's conversations: their list, one transcript, and its actions as plain forms.

The socket does the same actions; the forms are what remains before, or without, any script.
"""

import contextlib
import uuid
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.middleware.csrf import get_token
from django.shortcuts import redirect, render
from django.urls import reverse

from chatapp.composing import attachments, presets, queueing
from chatapp.composing.actions import QUEUE_ACTIONS, Authorised, act
from chatapp.composing.chat_settings import SettingsForm, first_settings
from chatapp.database import read, write
from chatapp.errors import InvalidInput
from chatapp.forms import (
    attachment_ids,
    clean_text,
    endpoint_id_in,
    preset_id_in,
    uuid_in,
    uuid_of,
)
from chatapp.generation import bus, registry, turns
from chatapp.generation.queue import queue_of
from chatapp.generation.turns import Sending
from chatapp.library import catalog, curation
from chatapp.models import (
    Conversation,
    Message,
    Preset,
    conversation_for,
    message_for,
    usable_endpoints,
)
from chatapp.models.attachment import MAX_FILES
from chatapp.models.message import path_of
from chatapp.models.tree import complete, tree_of
from chatapp.page import window
from chatapp.page.transcript import article, queue_list
from chatapp.views.access import private_form, private_page, user_of_request

T = TypeVar("T")


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


@private_form
async def send(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    user = await user_of_request(request)
    text = request.POST.get("text", "").replace("\r\n", "\n")
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
        return await read(_refused, request, user, conversation_id, text, str(error), files)
    return redirect("conversation", conversation_id)


@private_form
async def act_on(request: HttpRequest, message_id: UUID, action: str) -> HttpResponse:
    """What the socket does with the same name."""
    user = await user_of_request(request)
    message = await read(message_for, user, message_id)
    try:
        await act(action, message_id, request.POST.dict(), _authorised(user))
    except InvalidInput as error:
        text = request.POST.get("text", "").replace("\r\n", "\n")
        return await read(_refused, request, user, message.conversation_id, text, str(error))
    place = f"#message-{message_id}" if action == "choose" else ""
    return redirect(reverse("conversation", args=[message.conversation_id]) + place)


@private_form
async def change_queue(request: HttpRequest, conversation_id: UUID, action: str) -> HttpResponse:
    """What the socket does with the same name; a text that is taken back comes in the box."""
    if action not in QUEUE_ACTIONS:
        raise Http404
    user = await user_of_request(request)
    text = request.POST.get("text", "").replace("\r\n", "\n")
    files: list[UUID] = []
    try:
        if action in queueing.SENDINGS:
            await _take_files(request, user, files)
        form = request.POST.dict() | {"text": text, "attachment": list(map(str, files))}
        returned = await queueing.change(action, conversation_id, form, _authorised(user))
    except InvalidInput as error:
        return await read(_refused, request, user, conversation_id, text, str(error), files)
    if returned:
        shown: dict[str, Any] = {"text": returned.text, "files": returned.files}
        return await read(partial(_page, request, user, conversation_id, **shown))
    return redirect("conversation", conversation_id)


@private_form
async def fork(request: HttpRequest, message_id: UUID) -> HttpResponse:
    user = await user_of_request(request)
    try:
        conversation = await write(curation.fork, user, message_id)
    except InvalidInput as error:
        message = await read(message_for, user, message_id)
        return await read(_refused, request, user, message.conversation_id, "", str(error))
    bus.announce(conversation.pk)
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
async def elsewhere(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """The endpoints that a reply can be regenerated with, for pages without scripts."""
    return await read(_elsewhere, request, await user_of_request(request), message_id)


@private_page
async def edit_form(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """The form in which one's message is written anew, for the place where it stands."""
    message = await read(message_for, await user_of_request(request), message_id)
    context = {"message": message, "key": uuid.uuid4(), "csrf_token": get_token(request)}
    template = "_edit.html" if request.headers.get("HX-Request") else "edit.html"
    return await read(render, request, template, context)


@private_page
async def reason_form(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """The form that asks why a reply was rated so: a page for those without scripts."""
    message = await read(message_for, await user_of_request(request), message_id)
    if not message.rating:
        return redirect("conversation", message.conversation_id)
    return await read(render, request, "reason.html", {"message": message})


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


def filled_in(
    request: HttpRequest, user: User, new_id: UUID, preset: Preset | None, notice: str = ""
) -> HttpResponse:
    """The page of a conversation that has not begun as it was typed, with a preset's settings if
    there is one; `notice` says why something was refused."""
    extra: dict[str, Any] = {"text": request.POST.get("text", ""), "new_id": new_id}
    extra["settings"] = first_settings(user, None if preset else request.POST, kept=preset)
    extra["preset_name"] = "" if preset else request.POST.get("name", "")
    extra["notice"] = notice
    with contextlib.suppress(InvalidInput):
        extra["picked"] = endpoint_id_in(request.POST)
    status = 422 if notice else 200
    return _page(request, user, None, status, **{**extra, **_preset_shown(preset)})


def _preset_shown(preset: Preset | None) -> dict[str, Any]:
    """What a page says of the preset that it was filled in with."""
    if preset is None:
        return {}
    shown: dict[str, Any] = {"preset": preset, "notice": presets.complaint(preset)}
    if picked := presets.values_of(preset)["endpoint_id"]:
        shown["picked"] = picked
    return shown


def _preset_in(request: HttpRequest, user: User) -> Preset | None:
    """The preset that the address names, if the person may use it."""
    with contextlib.suppress(InvalidInput, Preset.DoesNotExist):
        return presets.usable_one(user, preset_id_in(request.GET))
    return None


def _home(request: HttpRequest, user: User) -> HttpResponse:
    preset = _preset_in(request, user)
    settings = first_settings(user, kept=preset)
    return _page(request, user, None, settings=settings, **_preset_shown(preset))


def _show(request: HttpRequest, user: User, conversation_id: UUID) -> HttpResponse:
    preset = _preset_in(request, user)
    notice = presets.complaint(preset) if preset else ""
    return _page(request, user, conversation_id, notice=notice)


def _settings_in(request: HttpRequest, user: User) -> dict[str, Any]:
    """The settings that a first message brings along."""
    form = first_settings(user, request.POST)
    if not form.is_valid():
        raise InvalidInput(form.complaints())
    values = form.values()
    return {name: values[name] for name in ("system_prompt", "parameters")}


def _elsewhere(request: HttpRequest, user: User, message_id: UUID) -> HttpResponse:
    message = message_for(user, message_id)
    context = {"message": message, "endpoints": usable_endpoints(user)}
    return render(request, "elsewhere.html", context)


def _authorised(user: User) -> Authorised:
    """How actions know the person of a form."""

    def authorised(work: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        return work(user, *args, **kwargs)

    return authorised


def _article(user: User, message_id: UUID) -> HttpResponse:
    message = message_for(user, message_id)
    path = path_of(tree_of(message.conversation_id))
    shown = next((m for m in path if m.pk == message_id), message)
    complete([shown])
    return HttpResponse(article(shown))


def _part(request: HttpRequest, user: User, conversation_id: UUID) -> HttpResponse:
    messages = tree_of(conversation_for(user, conversation_id).pk)
    try:
        before = uuid_of(request.GET.get("before", ""))
        after = uuid_of(request.GET["after"]) if request.GET.get("after") else None
    except InvalidInput as error:
        return HttpResponseBadRequest(str(error))
    forward = "forward" in request.GET
    return HttpResponse(window.next_part(messages, before, after, forward=forward))


def _refused(
    request: HttpRequest,
    user: User,
    conversation_id: UUID,
    text: str,
    notice: str,
    files: Sequence[UUID] = (),
) -> HttpResponse:
    """The page again with what was typed and attached still there, and why it was not taken."""
    known = Conversation.objects.filter(pk=conversation_id).exists()
    extra: dict[str, Any] = {"text": text, "notice": notice, "new_id": conversation_id}
    extra["files"] = attachments.waiting(user, files)
    with contextlib.suppress(InvalidInput):
        extra["picked"] = endpoint_id_in(request.POST)
    if not known:
        extra["settings"] = first_settings(user, request.POST)
    return _page(request, user, conversation_id if known else None, status=422, **extra)


def _page(
    request: HttpRequest,
    user: User,
    conversation_id: UUID | None,
    status: int = 200,
    *,
    settings: SettingsForm | None = None,
    **extra: Any,
) -> HttpResponse:
    conversation = conversation_for(user, conversation_id) if conversation_id else None
    messages = tree_of(conversation.pk) if conversation else []
    path = path_of(messages)
    asked_for = _asked_for(request)
    shown = window.shown(messages, path, asked_for)
    queue = queue_of(conversation.pk, path) if conversation else None
    settings = settings or (
        SettingsForm(user, kept=conversation) if conversation else first_settings(user)
    )
    endpoints = [endpoint for endpoint in settings.known if endpoint.is_usable]
    own = conversation.endpoint_id if conversation else None
    context = {
        "conversation": conversation,
        "picked": own or (endpoints[0].pk if endpoints else None),
        "listing": catalog.listing(user),
        "endpoints": endpoints,
        "settings": settings,
        "presets": presets.usable(user, settings.known),
        # Why there is none to offer, if so.
        "closed": [endpoint for endpoint in settings.known if endpoint.enabled],
        "disabled": [endpoint for endpoint in settings.known if not endpoint.enabled],
        "administrators": User.objects.filter(is_staff=True, is_active=True)[:3],
        "older": window.rest(path, 0, shown.history.start),
        "history": window.articles(path[shown.history]),
        "between": window.rest(path, shown.history.stop, shown.tail.start),
        "tail": window.articles(path[shown.tail]),
        "first": next((message.pk for message in path[shown.history]), ""),
        "after": next((message.pk for message in reversed(path[shown.history])), ""),
        "live": next((message.pk for message in path if message.is_live), None),
        "queue": queue_list(queue) if queue else "",
        "other_version": _other_version(messages, path, asked_for),
        "new_id": uuid.uuid4(),
        "key": uuid.uuid4(),
        "files": [],
        "actions": ("continue", "choose", "like", "dislike", "unrate", "remove"),
        **extra,
    }
    return render(request, "conversation.html", context, status=status)


def _asked_for(request: HttpRequest) -> UUID | None:
    """The message that a link leads to."""
    with contextlib.suppress(InvalidInput, KeyError):
        return uuid_of(request.GET["message"])
    return None


def _other_version(
    messages: list[Message], path: list[Message], message_id: UUID | None
) -> UUID | None:
    """The message that the page was asked for, if it is not on the path that it shows."""
    known, shown = {m.pk for m in messages}, {m.pk for m in path}
    return message_id if message_id in known - shown else None
