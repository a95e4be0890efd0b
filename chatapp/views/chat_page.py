"""A person and a conversation, begun or not → the chat page, as it is or as a form left it.

Everything here is synchronous.
"""

import contextlib
import uuid
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from chatapp.composing import attachments, presets
from chatapp.composing.chat_settings import SettingsForm, first_settings
from chatapp.errors import InvalidInput
from chatapp.forms import endpoint_id_in, preset_id_in, uuid_of
from chatapp.generation.queue import queue_of
from chatapp.library import catalog
from chatapp.models import Conversation, Message, Preset, conversation_for
from chatapp.models.message import path_of
from chatapp.models.tree import tree_of
from chatapp.page import window
from chatapp.page.transcript import queue_list


def chat_page(
    request: HttpRequest,
    user: User,
    conversation_id: UUID | None,
    status: int = 200,
    *,
    settings: SettingsForm | None = None,
    **extra: Any,
) -> HttpResponse:
    """The page of a conversation, None for one that has not begun; `extra` goes before what the
    rows say. Raises Conversation.DoesNotExist for someone else's."""
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


def refused(
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
    extra |= {"files": attachments.waiting(user, files), **_picked(request)}
    if not known:
        extra["settings"] = first_settings(user, request.POST)
    return chat_page(request, user, conversation_id if known else None, status=422, **extra)


def filled_in(
    request: HttpRequest, user: User, new_id: UUID, preset: Preset | None, notice: str = ""
) -> HttpResponse:
    """The page of a conversation that has not begun as it was typed, with a preset's settings if
    there is one; `notice` says why something was refused."""
    extra: dict[str, Any] = {"text": request.POST.get("text", ""), "new_id": new_id}
    extra["settings"] = first_settings(user, None if preset else request.POST, kept=preset)
    extra["preset_name"] = "" if preset else request.POST.get("name", "")
    extra["notice"] = notice
    status = 422 if notice else 200
    return chat_page(
        request, user, None, status, **{**extra, **_picked(request), **preset_shown(preset)}
    )


def preset_in(request: HttpRequest, user: User) -> Preset | None:
    """The preset that the address names, if the person may use it."""
    with contextlib.suppress(InvalidInput, Preset.DoesNotExist):
        return presets.usable_one(user, preset_id_in(request.GET))
    return None


def preset_shown(preset: Preset | None) -> dict[str, Any]:
    """What a page says of the preset that it was filled in with."""
    if preset is None:
        return {}
    shown: dict[str, Any] = {"preset": preset, "notice": presets.complaint(preset)}
    if picked := presets.values_of(preset)["endpoint_id"]:
        shown["picked"] = picked
    return shown


def _picked(request: HttpRequest) -> dict[str, Any]:
    """The endpoint that a form picked, if it is one that can."""
    with contextlib.suppress(InvalidInput):
        if picked := endpoint_id_in(request.POST):
            return {"picked": picked}
    return {}


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
