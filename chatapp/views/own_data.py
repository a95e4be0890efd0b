"""The page of all that is a person's: how long it is kept, how to take it along or delete it."""

from functools import partial
from typing import Any
from urllib.parse import urlencode

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import authenticate, logout
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from chatapp.database import read, write
from chatapp.errors import InvalidInput
from chatapp.forms import moment_of
from chatapp.generation import bus
from chatapp.library import own_data
from chatapp.library.catalog import UNDO
from chatapp.library.own_data import Deletion
from chatapp.views.access import private_form, private_page, user_of_request


@private_page
async def show(request: HttpRequest) -> HttpResponse:
    return await read(_page, request, await user_of_request(request))


@private_form
async def delete_all(request: HttpRequest) -> HttpResponse:
    user = await user_of_request(request)
    if "sure" not in request.POST:
        return await _refused(request, user, _("Tick the box to say that you are sure."))
    deletion = await write(own_data.delete_all, user)
    _announce(deletion)
    return redirect(f"{reverse('own-data')}?{urlencode({'deleted': deletion.at.isoformat()})}")


@private_form
async def bring_back(request: HttpRequest) -> HttpResponse:
    moment = moment_of(request.POST.get("deleted", ""))
    if moment is not None:
        _announce(await write(own_data.bring_back, await user_of_request(request), moment))
    return redirect("own-data")


@private_form
async def leave(request: HttpRequest) -> HttpResponse:
    """Whoever finds a page open can't: it takes the password, or the name where there is none."""
    user = await user_of_request(request)
    if not await _is_confirmed(request, user):
        return await _refused(request, user, _("That does not fit. The account was not deleted."))
    try:
        deletion = await write(own_data.leave, user)
    except InvalidInput as error:
        return await _refused(request, user, str(error))
    await write(logout, request)
    _announce(deletion)
    return redirect("left")


@require_safe
@never_cache
async def left(request: HttpRequest) -> HttpResponse:
    """What a person reads who has just left; it is nobody's page."""
    return render(request, "left.html", {"grace": settings.DELETED_GRACE_DAYS})


def _page(request: HttpRequest, user: User, notice: str = "") -> HttpResponse:
    moment = moment_of(request.GET.get("deleted", ""))
    context: dict[str, Any] = {
        "holdings": own_data.holdings(user),
        "days": settings.RETENTION_DAYS,
        "grace": settings.DELETED_GRACE_DAYS,
        "undo_minutes": UNDO.seconds // 60,
        "deleted": own_data.restorable(user, moment) if moment else 0,
        "moment": moment,
        "has_password": user.has_usable_password(),
        "notice": notice,
    }
    return render(request, "own_data.html", context, status=422 if notice else 200)


async def _refused(request: HttpRequest, user: User, notice: str) -> HttpResponse:
    return await read(partial(_page, request, user, notice=notice))


async def _is_confirmed(request: HttpRequest, user: User) -> bool:
    typed = request.POST.get("confirmation", "")
    if not user.has_usable_password():
        return typed.strip() == user.get_username()
    # As at signing in, so that guesses are counted and end as they do there.
    signing_in = sync_to_async(authenticate)
    return await signing_in(request, username=user.get_username(), password=typed) == user


def _announce(deletion: Deletion) -> None:
    for conversation_id in deletion.newest:
        bus.announce(conversation_id)
