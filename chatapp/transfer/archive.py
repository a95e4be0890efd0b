"""All conversations of a person → one zip, made while it is sent.

Each is there twice: as JSON, for an import, and as Markdown, for reading. Files stand beside them.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from django.contrib.auth.models import User
from django.utils import timezone

from chatapp.transfer import document, markdown
from chatapp.transfer.files import data_of, pieces_of, place_of
from chatapp.transfer.names import file_name
from chatapp.transfer.slices import Talk, conversations_of, encoded

Pieces = Callable[..., Iterator[str]]

FORMATS: dict[str, Pieces] = {".json": document.pieces, ".md": markdown.pieces}


def archive(user: User) -> Iterator[bytes]:
    """The zip's bytes; what is kept in memory are the names of its files, for its directory.

    Each step is short and reads the database by itself, so that steps can run on any thread.
    """
    sink = _Sink()
    with ZipFile(sink, "w") as folder:
        for conversation in conversations_of(user):
            talk = Talk(conversation)
            for suffix, pieces in FORMATS.items():
                name = file_name(conversation, suffix, is_one_of_many=True)
                with folder.open(_entry(name, conversation.active_at), "w") as file:
                    for piece in encoded(pieces(talk, is_in_zip=True)):
                        file.write(piece)
                        yield sink.taken()
            for attachment in talk.files():
                with folder.open(_entry(place_of(attachment), attachment.created_at), "w") as file:
                    for piece in pieces_of(data_of(attachment) or b""):
                        file.write(piece)
                        yield sink.taken()
    yield sink.taken()


def _entry(name: str, at: datetime) -> ZipInfo:
    entry = ZipInfo(name, _dos_time(timezone.localtime(at)))
    entry.compress_type = ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    return entry


def _dos_time(at: datetime) -> tuple[int, int, int, int, int, int]:
    """As far as a zip can say it."""
    year = min(max(at.year, 1980), 2107)
    return year, at.month, at.day, at.hour, at.minute, at.second


class _Sink:
    """What ZipFile writes to: nothing can be sought in it, and what is taken is gone."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes, /) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """There is nothing behind it."""

    def close(self) -> None:
        """It stays open for what is to be taken."""

    def taken(self) -> bytes:
        data = b"".join(self._parts)
        self._parts.clear()
        return data
