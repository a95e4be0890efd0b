"""Who may look, and who may act: what stands before every view of a person's own things."""

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, TypeVar, cast

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.middleware import HtmxDetails

View = Callable[..., Coroutine[Any, Any, HttpResponseBase]]
V = TypeVar("V", bound=View)


class HtmxRequest(HttpRequest):
    """As django-htmx's middleware hands it on: `htmx` is true for a part of a page."""

    htmx: HtmxDetails


def private_page(view: V) -> V:
    """A page of the signed-in person's, which no cache keeps."""
    return cast(V, login_required(require_safe(never_cache(_own_only(view)))))


def private_file(view: V) -> V:
    """A file of the signed-in person's, which their browser alone keeps, and asks about anew."""
    kept = cache_control(private=True, no_cache=True)(_own_only(view))
    return cast(V, login_required(require_safe(kept)))


def private_form(view: V) -> V:
    """What a form of the person's does; a GET, as after signing in half-way, leads to the
    conversations instead."""

    @wraps(view)
    async def chosen(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method == "GET":
            return redirect("home")
        return await view(request, *args, **kwargs)

    return cast(V, login_required(require_http_methods(["GET", "POST"])(_own_only(chosen))))


async def user_of_request(request: HttpRequest) -> User:
    user = await request.auser()
    assert isinstance(user, User), "login_required stands before every view"
    return user


def _own_only(view: View) -> View:
    """What is somebody else's, or is not there, is 404: nobody learns which of the two it is."""

    @wraps(view)
    async def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return await view(request, *args, **kwargs)
        except ObjectDoesNotExist:
            raise Http404 from None

    return checked
