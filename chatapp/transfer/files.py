"""A message's files → text for a document, or a place beside it in a zip; one held at a time."""

from base64 import b64encode
from collections.abc import Iterator

from chatapp.models import Attachment
from chatapp.transfer.names import safe

# Of this many bytes base64 needs no filling.
_PIECE = 48 * 1024


def place_of(file: Attachment) -> str:
    """Where the file stands in a zip, seen from the documents that name it."""
    return f"attachments/{file.pk.hex[:12]} {safe(file.name)}"


def data_of(file: Attachment) -> bytes | None:
    """The file's bytes, which it does not keep; None if it went meanwhile."""
    data = Attachment.objects.filter(pk=file.pk).values_list("data", flat=True).first()
    return None if data is None else bytes(data)


def pieces_of(data: bytes) -> Iterator[bytes]:
    for start in range(0, len(data), _PIECE):
        yield data[start : start + _PIECE]


def base64_of(data: bytes) -> Iterator[str]:
    """The bytes as text, a piece at a time."""
    for piece in pieces_of(data):
        yield b64encode(piece).decode()
