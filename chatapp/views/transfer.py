"""Conversations as files: downloads of one and of all, uploads, and what came of them."""

import os
from collections.abc import Iterator
from io import BytesIO
from typing import IO
from uuid import UUID

from django.contrib.auth.models import User
from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _

from chatapp.database import read
from chatapp.errors import InvalidInput
from chatapp.models import Import, conversation_for
from chatapp.transfer import importing
from chatapp.transfer.archive import FORMATS, archive
from chatapp.transfer.names import file_name
from chatapp.transfer.slices import Talk, encoded, in_slices
from chatapp.views.access import private_form, private_page, user_of_request

MEDIA_TYPES = {
    ".json": "application/json",
    ".md": "text/markdown; charset=utf-8",
    ".zip": "application/zip",
}
_RECENT = 10


@private_page
async def export(request: HttpRequest, conversation_id: UUID, kind: str) -> StreamingHttpResponse:
    """One conversation, `kind` “json” or “md”."""
    suffix = f".{kind}"
    if suffix not in FORMATS:
        raise Http404
    conversation = await read(conversation_for, await user_of_request(request), conversation_id)
    return _download(file_name(conversation, suffix), encoded(FORMATS[suffix](Talk(conversation))))


@private_page
async def export_all(request: HttpRequest) -> StreamingHttpResponse:
    name = f"{timezone.localdate().isoformat()} chatapp.zip"
    return _download(name, archive(await user_of_request(request)))


@private_page
async def imports(request: HttpRequest) -> HttpResponse:
    """The form for a file, and the person's last imports."""
    return await read(_imports, request, await user_of_request(request))


@private_form
async def upload(request: HttpRequest) -> HttpResponse:
    user = await user_of_request(request)
    try:
        file, name, size = _uploaded(request)
        report = await importing.begin(user, file, name, size)
    except InvalidInput as error:
        return await read(_imports, request, user, notice=str(error))
    return redirect("import", report.pk)


@private_page
async def show_import(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """How far an import is, and what came of it."""
    return await read(_report, request, await user_of_request(request), import_id)


def _download(name: str, pieces: Iterator[bytes]) -> StreamingHttpResponse:
    media_type = MEDIA_TYPES[name[name.rindex(".") :]]
    response = StreamingHttpResponse(in_slices(pieces), content_type=media_type)
    # RFC 6266, with the name by RFC 5987 where it is not ASCII.
    response.headers["Content-Disposition"] = content_disposition_header(True, name) or ""
    return response


def _uploaded(request: HttpRequest) -> tuple[IO[bytes], str, int]:
    """The file, which outlives the request, its name and its size."""
    file = request.FILES.get("file")
    if not isinstance(file, UploadedFile) or not file.size:
        raise InvalidInput(_("Choose a file that is not empty."))
    if file.size > importing.MOST_BYTES:
        megabytes = {"most": importing.MOST_BYTES // 1024**2, "has": file.size // 1024**2}
        raise InvalidInput(_("A file can have %(most)d MB; this one has %(has)d.") % megabytes)
    if isinstance(file, TemporaryUploadedFile):
        kept: IO[bytes] = os.fdopen(os.dup(file.fileno()), "rb")
        kept.seek(0)
    else:
        kept = BytesIO(file.read())
    return kept, file.name or "", file.size


def _imports(request: HttpRequest, user: User, notice: str = "") -> HttpResponse:
    recent = list(Import.objects.filter(owner=user).defer("outcomes")[:_RECENT])
    context = {"imports": recent, "notice": notice, "most": importing.MOST_BYTES}
    return render(request, "imports.html", context, status=422 if notice else 200)


def _report(request: HttpRequest, user: User, import_id: UUID) -> HttpResponse:
    report = Import.objects.filter(owner=user, pk=import_id).first()
    if report is None:
        raise Http404
    named = {
        what: [row for row in report.outcomes if row["what"] == what]
        for what in ("skipped", "imported", "present")
    }
    return render(request, "import.html", {"report": report, "named": named})
