"""A request that could not be answered → the page that says so.

It may have failed before its session was there, as with a foreign Host. Django's own pages look for
a CSRF token in it, and so fail again; these take nothing from the request.
"""

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return HttpResponse(render_to_string("400.html"), status=400)


def server_error(request: HttpRequest) -> HttpResponse:
    return HttpResponse(render_to_string("500.html"), status=500)
