"""Requests in → static files, what their person prefers, and the security headers of answers."""

from collections.abc import Callable
from contextlib import suppress
from inspect import isawaitable
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.template.loader import render_to_string
from django.utils.decorators import sync_and_async_middleware
from whitenoise.middleware import WhiteNoiseMiddleware

from chatapp import logs
from chatapp.page.preferences import applied, preferences_in
from chatapp.serving.uploads import max_body_bytes
from chatapp.views.health import healthz, metrics, readyz

CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "object-src 'none'",
    ]
)
FOR_MACHINES = {"/healthz": healthz, "/readyz": readyz, "/metrics": metrics}
REQUEST_ID = "X-Request-ID"
PERMISSIONS_POLICY = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"


@sync_and_async_middleware
def request_id(get_response: Callable[[HttpRequest], Any]) -> Callable[..., Any]:
    """Lines of log and the answer name the request, as its sender did or by an id of our own."""

    def begun(request: HttpRequest) -> str:
        return logs.begin_request(request.headers.get(REQUEST_ID))

    async def answer_async(request: HttpRequest) -> HttpResponse:
        name = begun(request)
        response: HttpResponse = await get_response(request)
        response.headers[REQUEST_ID] = name
        return response

    def answer(request: HttpRequest) -> HttpResponse:
        name = begun(request)
        response: HttpResponse = get_response(request)
        response.headers[REQUEST_ID] = name
        return response

    return answer_async if iscoroutinefunction(get_response) else answer


@sync_and_async_middleware
def for_machines(get_response: Callable[[HttpRequest], Any]) -> Callable[..., Any]:
    """Probes ask the machine by its address, over plain http and without a session, so they are
    answered before anything looks at a name, redirects or reads a cookie."""

    async def answer_async(request: HttpRequest) -> HttpResponse:
        with suppress(Http404):  # which the site's own page says
            if view := FOR_MACHINES.get(request.path):
                return await view(request)
        response: HttpResponse = await get_response(request)
        return response

    return answer_async if iscoroutinefunction(get_response) else get_response


@sync_and_async_middleware
def security_headers(get_response: Callable[[HttpRequest], Any]) -> Callable[..., Any]:
    """Nothing but our own files may run, load or connect, on every page including the admin and
    those that say why Django's own middleware refused a request."""

    def secured(response: HttpResponse) -> HttpResponse:
        response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        return response

    async def answer_async(request: HttpRequest) -> HttpResponse:
        return secured(await get_response(request))

    def answer(request: HttpRequest) -> HttpResponse:
        return secured(get_response(request))

    return answer_async if iscoroutinefunction(get_response) else answer


@sync_and_async_middleware
def bounded_body(get_response: Callable[[HttpRequest], Any]) -> Callable[..., Any]:
    """Says what was wrong with a request whose body is too large; the server kept none of it."""

    def refusal(request: HttpRequest) -> HttpResponse | None:
        size = request.META.get("CONTENT_LENGTH", "")
        most = max_body_bytes(request.path)
        if not size.isdecimal() or int(size) <= most:
            return None
        return HttpResponse(render_to_string("413.html", {"most": most}), status=413)

    async def answer_async(request: HttpRequest) -> HttpResponse:
        return refusal(request) or await get_response(request)

    def answer(request: HttpRequest) -> HttpResponse:
        return refusal(request) or get_response(request)

    return answer_async if iscoroutinefunction(get_response) else answer


@sync_and_async_middleware
def preferences(get_response: Callable[[HttpRequest], Any]) -> Callable[..., Any]:
    """Pages look, and times are told, as the person's cookies say."""

    async def answer_async(request: HttpRequest) -> HttpResponse:
        with applied(preferences_in(request.COOKIES)):
            response: HttpResponse = await get_response(request)
            return response

    def answer(request: HttpRequest) -> HttpResponse:
        with applied(preferences_in(request.COOKIES)):
            response: HttpResponse = get_response(request)
            return response

    return answer_async if iscoroutinefunction(get_response) else answer


class StaticFiles(WhiteNoiseMiddleware):  # type: ignore[misc]
    """WhiteNoise on the event loop: our files are small, so each is answered whole.

    WhiteNoise itself hands out file iterators, which Django would pull through a thread, and it
    would drag every other request through one as well.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        super().__init__(get_response)
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:
        if iscoroutinefunction(self):
            return self.__acall__(request)
        return super().__call__(request)

    async def __acall__(self, request: HttpRequest) -> HttpResponseBase:
        answer = super().__call__(request)
        response: HttpResponseBase = await answer if isawaitable(answer) else answer
        return response

    @staticmethod
    def serve(static_file: Any, request: HttpRequest) -> HttpResponseBase:
        return _whole(WhiteNoiseMiddleware.serve(static_file, request))


def _whole(response: Any) -> HttpResponse:
    content = b"".join(response.streaming_content)
    response.close()
    return HttpResponse(content, status=response.status_code, headers=response.headers)
