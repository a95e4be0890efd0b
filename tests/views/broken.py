"""The addresses of the site, and one that breaks."""

from django.http import HttpRequest, HttpResponse
from django.urls import path

from chatapp.urls import urlpatterns as addresses


async def broken(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("broken on purpose")


urlpatterns = [*addresses, path("broken/", broken)]
