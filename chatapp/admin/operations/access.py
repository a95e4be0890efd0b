"""What stands before each of these pages: a member of the staff with one of the rights it asks."""

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any

from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache

from chatapp.admin.frame import frame
from chatapp.database import read

View = Callable[..., Coroutine[Any, Any, HttpResponseBase]]

OPERATE = "chatapp.operate"
HEALTH = "chatapp.view_healthfigure"
USAGE = "chatapp.view_usagefigure"


def may(user: User | None, *rights: str) -> bool:
    """Whether the person belongs to the staff and has any of the rights; asks the database."""
    if user is None or not user.is_active or not user.is_staff:
        return False
    return any(user.has_perm(right) for right in rights)


def for_those_who_may(*rights: str) -> Callable[[View], View]:
    """Others of the staff get 403, anybody else the admin's page to sign in on."""

    def guarded(view: View) -> View:
        @wraps(view)
        async def checked(request: HttpRequest) -> HttpResponseBase:
            user = await request.auser()
            if not isinstance(user, User) or not user.is_staff:
                return redirect_to_login(request.get_full_path(), reverse("admin:login"))
            if not await read(may, user, *rights):
                raise PermissionDenied
            request.user = user
            return await view(request)

        return never_cache(checked)

    return guarded


def page(request: HttpRequest, template: str, title: str, **context: Any) -> HttpResponse:
    """One of these pages. Synchronous, as `frame` is."""
    return render(request, f"admin/operations/{template}", frame(request, title, **context))
