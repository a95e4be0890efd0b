"""Requests in → static files and the security headers of every answer out."""

from collections.abc import Callable
from inspect import isawaitable
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.decorators import sync_and_async_middleware
from whitenoise.middleware import WhiteNoiseMiddleware

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
PERMISSIONS_POLICY = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"


@sync_and_async_middleware
def content_security_policy(get_response: Callable[[HttpRequest], Any]) -> Callable[..., Any]:
    """Nothing but our own files may run, load or connect, on every page including the admin."""

    def secured(response: HttpResponse) -> HttpResponse:
        response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        return response

    async def answer_async(request: HttpRequest) -> HttpResponse:
        return secured(await get_response(request))

    def answer(request: HttpRequest) -> HttpResponse:
        return secured(get_response(request))

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
