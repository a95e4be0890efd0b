"""Files of a form, as they stream in → their beginnings, up to what any file may have.

The server bounds a whole request (`MAX_BODY_BYTES`, server.py and middleware.py), this one file.
"""

from io import BytesIO
from typing import Any

from django.core.files.uploadedfile import InMemoryUploadedFile, UploadedFile
from django.core.files.uploadhandler import FileUploadHandler

from chatapp.models.attachment import MAX_IMAGE_BYTES


class Bounded(FileUploadHandler):
    """Keeps nothing of a file beyond the limit, and counts on; no file touches the disk."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self._beginning = BytesIO()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self._beginning.write(raw_data[: max(MAX_IMAGE_BYTES - start, 0)])

    def file_complete(self, file_size: int) -> "UploadedFile[Any]":
        self._beginning.seek(0)
        return InMemoryUploadedFile(
            self._beginning,
            self.field_name,
            self.file_name,
            self.content_type,
            file_size,
            self.charset,
            self.content_type_extra,
        )
