"""The addresses of the site and one that breaks, and a middleware that lets nothing through."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import path

from chatapp.urls import urlpatterns as addresses


async def broken(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("broken on purpose")


def breaking(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], HttpResponse]:
    def broke(request: HttpRequest) -> HttpResponse:
        raise RuntimeError("broken on purpose")

    return broke


urlpatterns = [*addresses, path("broken/", broken)]
