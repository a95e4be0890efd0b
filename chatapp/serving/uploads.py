"""Files of a form, as they stream in → temporary files, up to what any file may have.

The server bounds a whole request (`bounded_request.py` and `middleware.py`), this one file.
"""

from django.core.files.uploadhandler import TemporaryFileUploadHandler

from chatapp.models.attachment import MAX_IMAGE_BYTES
from chatapp.transfer.importing import MOST_BYTES

# A form has several of the largest files, and what stands around them.
MAX_BODY_BYTES = 4 * MAX_IMAGE_BYTES + 1024 * 1024
MAX_IMPORT_BODY_BYTES = MOST_BYTES + 1024 * 1024


def max_body_bytes(path: str) -> int:
    """The largest body that is taken at this address."""
    return MAX_IMPORT_BODY_BYTES if _is_import(path) else MAX_BODY_BYTES


class Bounded(TemporaryFileUploadHandler):
    """Keeps nothing of a file beyond the limit, and counts on; memory holds a chunk at a time."""

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        assert self.request is not None
        most = MOST_BYTES if _is_import(self.request.path) else MAX_IMAGE_BYTES
        self.file.write(raw_data[: max(most - start, 0)])


def _is_import(path: str) -> bool:
    return path == "/imports/new/"
