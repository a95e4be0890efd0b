"""A conversation's settings as plain forms: saved, or taken from a preset."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from chatapp.composing import chat_settings, presets
from chatapp.composing.chat_settings import SettingsForm, first_settings
from chatapp.database import read, write
from chatapp.errors import InvalidInput
from chatapp.forms import endpoint_id_in, preset_id_in
from chatapp.generation import bus
from chatapp.models import Conversation, Preset, conversation_for
from chatapp.views.access import private_form, user_of_request
from chatapp.views.chat_page import filled_in


@private_form
async def save(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """Keeps the settings, and as a preset too if the form names one."""
    user = await user_of_request(request)
    if not await read(_has_begun, conversation_id):
        return await write(_keep_as_preset, request, user, conversation_id)
    answer = await write(_save, request, user, conversation_id)
    if answer is not None:
        return answer
    bus.announce(conversation_id)
    return redirect("conversation", conversation_id)


@private_form
async def apply(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """Takes the settings of a preset over; a conversation that has not begun shows them only."""
    user = await user_of_request(request)
    try:
        preset = await read(presets.usable_one, user, preset_id_in(request.POST))
    except (InvalidInput, Preset.DoesNotExist):
        preset = None
    if not await read(_has_begun, conversation_id):
        return await read(filled_in, request, user, conversation_id, preset)
    if preset is None:
        await read(conversation_for, user, conversation_id)  # somebody else's is none
        return redirect("conversation", conversation_id)
    await write(chat_settings.save, user, conversation_id, presets.values_of(preset))
    bus.announce(conversation_id)
    address = reverse("conversation", args=[conversation_id])
    return redirect(f"{address}?{urlencode({'preset': preset.pk})}")


def _has_begun(conversation_id: UUID) -> bool:
    return Conversation.objects.filter(pk=conversation_id).exists()


def _keep_as_preset(request: HttpRequest, user: User, conversation_id: UUID) -> HttpResponse:
    """All that can be kept of a conversation that has not begun; the page stays as it was."""
    form = first_settings(user, request.POST)
    try:
        if not form.is_valid():
            raise InvalidInput(form.complaints())
        values = form.values() | {"endpoint_id": endpoint_id_in(request.POST)}
        preset = presets.keep(user, request.POST.get("name", ""), values)
    except InvalidInput as error:
        return filled_in(request, user, conversation_id, None, str(error))
    return filled_in(request, user, conversation_id, preset)


def _save(request: HttpRequest, user: User, conversation_id: UUID) -> HttpResponse | None:
    """The page with what was typed if something cannot be taken."""
    conversation = conversation_for(user, conversation_id)
    form = SettingsForm(user, request.POST, kept=conversation)
    name = request.POST.get("name", "")
    context: dict[str, Any] = {"conversation": conversation, "form": form, "name": name}
    if not form.is_valid():
        return render(request, "settings.html", context, status=422)
    try:
        if name.strip():
            presets.keep(user, name, form.values())
    except InvalidInput as error:
        return render(request, "settings.html", {**context, "refusal": str(error)}, status=422)
    chat_settings.save(user, conversation_id, form.values())
    return None
