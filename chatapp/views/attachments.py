"""Files on their way into a message, and the files of messages that one may read."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import get_conditional_response
from django.utils.http import content_disposition_header, quote_etag
from django.utils.translation import gettext as _

from chatapp.composing.attachments import remove, store, waiting
from chatapp.database import read, write
from chatapp.errors import InvalidInput
from chatapp.forms import attachment_ids
from chatapp.models import Attachment, attachment_for
from chatapp.views.access import private_file, private_form, private_page, user_of_request

_CONTENT_SECURITY_POLICY = "sandbox; default-src 'none'"


@private_form
async def add(request: HttpRequest) -> HttpResponse:
    """Keeps one file; its chip, or the sentence that says why not."""
    user = await user_of_request(request)
    file = request.FILES.get("file")
    try:
        if file is None:
            raise InvalidInput(_("Expected a file; the form sent none."))
        kept = await write(store, user, file.name or "", file.read(), file.size or 0)
    except InvalidInput as error:
        return HttpResponse(str(error), status=422, content_type="text/plain; charset=utf-8")
    return render(request, "_chips.html", {"files": [kept]}, status=201)


@private_page
async def unsent(request: HttpRequest) -> HttpResponse:
    """The chips of those `attachment` ids that are still waiting to be sent."""
    try:
        ids = attachment_ids(request.GET.getlist("attachment"))
    except InvalidInput:
        ids = ()
    files = await read(waiting, await user_of_request(request), ids)
    return render(request, "_chips.html", {"files": files})


@private_form
async def discard(request: HttpRequest, attachment_id: UUID) -> HttpResponse:
    await write(remove, await user_of_request(request), attachment_id)
    return HttpResponse(status=204)


@private_file
async def show(request: HttpRequest, attachment_id: UUID) -> HttpResponse:
    """The file itself, for looking at if it is an image; nothing in it runs or loads anything."""
    file = await read(attachment_for, await user_of_request(request), attachment_id)
    response = _response(file)
    etag = quote_etag(str(file.pk))
    response.headers["ETag"] = etag
    answer = get_conditional_response(request, etag, None, response)
    return answer if isinstance(answer, HttpResponse) else response


def _response(file: Attachment) -> HttpResponse:
    charset = "" if file.is_image else "; charset=utf-8"
    response = HttpResponse(bytes(file.data), content_type=file.media_type + charset)
    disposition = content_disposition_header(not file.is_image, file.name)
    response.headers["Content-Disposition"] = disposition or "attachment"
    response.headers["Content-Security-Policy"] = _CONTENT_SECURITY_POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
