"""A person's presets and the team's: listed, written and taken away, as plain pages and forms."""

from functools import partial

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from chatapp.composing import presets
from chatapp.composing.chat_settings import SettingsForm
from chatapp.database import read, write
from chatapp.errors import InvalidInput
from chatapp.models import Preset, endpoints_for
from chatapp.views.access import private_form, private_page, user_of_request


@private_page
async def index(request: HttpRequest) -> HttpResponse:
    return await read(_index, request, await user_of_request(request))


@private_page
async def show(request: HttpRequest, preset_id: int | None = None) -> HttpResponse:
    """The form in which a preset is written."""
    return await read(_show, request, await user_of_request(request), preset_id)


@private_form
async def save(request: HttpRequest, preset_id: int | None = None) -> HttpResponse:
    user = await user_of_request(request)
    refused = await write(_save, request, user, preset_id)
    return refused or redirect("presets")


@private_form
async def delete(request: HttpRequest, preset_id: int) -> HttpResponse:
    await write(presets.delete, await user_of_request(request), preset_id)
    return redirect("presets")


def _index(request: HttpRequest, user: User) -> HttpResponse:
    usable = presets.usable(user, endpoints_for(user))
    found = [(preset, presets.may_change(user, preset)) for preset in usable]
    return render(request, "presets.html", {"presets": found})


def _show(request: HttpRequest, user: User, preset_id: int | None) -> HttpResponse:
    preset = presets.changeable_one(user, preset_id) if preset_id else Preset(owner=user)
    return _page(request, preset, _form(user, preset))


def _save(request: HttpRequest, user: User, preset_id: int | None) -> HttpResponse | None:
    """The page again if something cannot be taken."""
    preset = presets.changeable_one(user, preset_id) if preset_id else Preset(owner=user)
    form = _form(user, preset, request)
    preset.name = request.POST.get("name", "")
    preset.is_shared = "is_shared" in request.POST
    if not form.is_valid():
        return _page(request, preset, form, status=422)
    store = partial(presets.change, user, preset_id) if preset_id else partial(presets.keep, user)
    try:
        store(preset.name, form.values(), is_shared=preset.is_shared)
    except InvalidInput as error:
        return _page(request, preset, form, str(error), status=422)
    return None


def _form(user: User, preset: Preset, request: HttpRequest | None = None) -> SettingsForm:
    data = request.POST if request else None
    return SettingsForm(user, data, kept=preset, no_endpoint=_("the conversation's own"))


def _page(
    request: HttpRequest, preset: Preset, form: SettingsForm, refusal: str = "", status: int = 200
) -> HttpResponse:
    context = {"preset": preset, "form": form, "refusal": refusal}
    return render(request, "preset.html", context, status=status)
