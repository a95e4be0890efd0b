"""An uploaded file, JSON or a zip → the JSON objects in it, one at a time, within bounds.

Nothing is unpacked to disk, and nothing is believed that a file says of its own size: what is
counted is what is read. Each object is parsed alone, so that neither memory nor the interpreter's
lock is held for long, however large the file.
"""

import codecs
import json
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from math import isfinite
from posixpath import dirname, join
from typing import IO, Any, Protocol
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from django.utils.translation import gettext as _

from chatapp.errors import InvalidInput

MOST_OBJECT_CHARS = 32 * 1024 * 1024
MOST_UNPACKED_BYTES = 2 * 1024**3
MOST_DIRECTORY_BYTES = 8 * 1024**2
MOST_FILES = 60_000
MOST_OBJECTS = 100_000

_CHUNK = 64 * 1024
_ENCRYPTED = 0x1
_SPACE = re.compile(r"[ \t\r\n]*")
_BOMS = (b"\xff\xfe", b"\xfe\xff")
# Files of messages stand beside the conversations, and may be JSON themselves.
_ATTACHMENT = re.compile(r"(?:.*/)?attachments/[0-9a-f]{12} .+")
# What ChatGPT's export calls the files with conversations; others in it are about the account.
_OF_CHATGPT = re.compile(r"(?:.*/)?conversations(?:-\d+)?\.json")


class Unreadable(InvalidInput):
    """The file, or the rest of it, can't be read; `str()` says why."""


class _Readable(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


Found = dict[str, Any] | InvalidInput


class Reader:
    """The objects of one file. `position` of `size` bytes are read."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        self.size = size
        self._file = _Measured(file, size)
        self._folder: ZipFile | None = None
        self._unpacked = 0
        self._objects = 0

    @property
    def position(self) -> int:
        return min(self._file.tell(), self.size)

    def objects(self) -> Iterator[tuple[str, Found]]:
        """The name of the file within the zip, "" without one, and an object or why there is none.

        Raises Unreadable where nothing more can be read.
        """
        for name, found in self._found():
            self._objects += 1
            if self._objects > MOST_OBJECTS:
                raise Unreadable(
                    _("It has more than %(most)d conversations.") % {"most": MOST_OBJECTS}
                )
            yield name, found

    def beside(self, name: str, place: str, most: int) -> bytes:
        """At most so many bytes of what stands at `place`, seen from the file of that name.

        Raises Unreadable if there is no such thing.
        """
        if self._folder is None:
            raise Unreadable(_("Its files are not in it: import the whole zip that it was in."))
        try:
            entry = self._folder.getinfo(join(dirname(name), place))
        except KeyError:
            missing = {"name": place[:200]}
            raise Unreadable(_("The zip has no file “%(name)s”.") % missing) from None
        with _opened(self._folder, entry) as file:
            return b"".join(self._counted(_Beginning(file, most)))

    def _found(self) -> Iterator[tuple[str, Found]]:
        start = self._file.read(4)
        self._file.seek(0)
        if start[:2] == b"PK":
            yield from self._unzipped()
        else:
            for found in self._parsed(self._file):
                yield "", found

    def _unzipped(self) -> Iterator[tuple[str, Found]]:
        try:
            folder = ZipFile(self._file)
        except (BadZipFile, ValueError, OSError, NotImplementedError):
            raise Unreadable(_("The zip is broken: its directory can't be read.")) from None
        with folder:
            self._folder = folder
            files = _files_of(folder)
            if not files:
                raise Unreadable(_("The zip has no conversations: no .json file is in it."))
            for entry in files:
                yield from self._in(folder, entry)

    def _in(self, folder: ZipFile, entry: ZipInfo) -> Iterator[tuple[str, Found]]:
        try:
            with _opened(folder, entry) as file:
                for found in self._parsed(file):
                    yield entry.filename, found
        except Unreadable as error:
            if self._unpacked > MOST_UNPACKED_BYTES:
                raise
            yield entry.filename, error

    def _parsed(self, file: _Readable) -> Iterator[Found]:
        return _objects_in(_Text(self._counted(file)))

    def _counted(self, file: _Readable) -> Iterator[bytes]:
        while chunk := file.read(_CHUNK):
            self._unpacked += len(chunk)
            if self._unpacked > MOST_UNPACKED_BYTES:
                raise Unreadable(_("Unpacked it is too large."))
            yield chunk


class _Measured:
    """A file that is never read in one large piece, as a zip's directory would be."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file = file
        self._size = size

    def read(self, size: int = -1, /) -> bytes:
        wanted = size if size >= 0 else self._size - self._file.tell()
        if wanted > MOST_DIRECTORY_BYTES:
            raise BadZipFile
        return self._file.read(max(wanted, 0))

    def seek(self, *place: int) -> int:
        return self._file.seek(*place)

    def tell(self) -> int:
        return self._file.tell()

    def seekable(self) -> bool:
        return True


class _Beginning:
    """A file that ends after so many bytes."""

    def __init__(self, file: _Readable, most: int) -> None:
        self._file = file
        self._left = most

    def read(self, size: int = -1, /) -> bytes:
        data = self._file.read(min(size, self._left))
        self._left -= len(data)
        return data


class _Text:
    """Decoded chunks as one growing string, read up to `at`; what is long read is forgotten."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("strict")
        self._is_begun = False
        self.text = ""
        self.at = 0
        self.is_whole = False

    def grow(self, wanted: int) -> None:
        """Reads on until there are `wanted` characters from `at` on, or all."""
        if self.is_whole or len(self.text) - self.at >= wanted:
            return
        parts = [self.text[self.at :]]
        length, self.at = len(parts[0]), 0
        while length < wanted and not self.is_whole:
            parts.append(self._next())
            length += len(parts[-1])
        self.text = "".join(parts)

    def next_char(self) -> str:
        """The next character that is not white space, "" at the end; it stays unread."""
        while True:
            self.at = _SPACE.match(self.text, self.at).end()  # type: ignore[union-attr]
            if self.at < len(self.text) or self.is_whole:
                return self.text[self.at : self.at + 1]
            self.grow(1)

    def _next(self) -> str:
        chunk = next(self._chunks, None)
        if chunk is not None and not self._is_begun and chunk.startswith(_BOMS):
            raise Unreadable(_("Expected text in UTF-8; this is UTF-16."))
        self._is_begun = True
        self.is_whole = chunk is None
        try:
            return self._decoder.decode(chunk or b"", final=chunk is None)
        except UnicodeDecodeError:
            raise Unreadable(_("Expected text in UTF-8; this is something else.")) from None


@contextmanager
def _opened(folder: ZipFile, entry: ZipInfo) -> Iterator[IO[bytes]]:
    if entry.flag_bits & _ENCRYPTED:
        raise Unreadable(_("It is encrypted."))
    if entry.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        raise Unreadable(_("It is compressed in a way that is not taken."))
    try:
        with folder.open(entry) as file:
            yield file
    except (BadZipFile, zlib.error, EOFError, NotImplementedError, OSError):
        raise Unreadable(_("It is broken in the zip.")) from None


def _is_conversation(name: str) -> bool:
    return name.lower().endswith(".json") and not _ATTACHMENT.fullmatch(name)


def _files_of(folder: ZipFile) -> list[ZipInfo]:
    files = [entry for entry in folder.infolist() if _is_conversation(entry.filename)]
    of_chatgpt = [entry for entry in files if _OF_CHATGPT.fullmatch(entry.filename)]
    if len(files) > MOST_FILES:
        raise Unreadable(_("The zip has more than %(most)d files.") % {"most": MOST_FILES})
    return of_chatgpt or files


def _objects_in(text: _Text) -> Iterator[Found]:
    """One, a list of them, or several one after the other, as in JSON Lines."""
    first = text.next_char()
    if first == "[":
        text.at += 1
        yield from _elements(text)
        text.at += 1
    elif first != "{":
        raise Unreadable(_("Expected JSON: a conversation, or a list of them."))
    while text.next_char() == "{":
        yield _object(text)
    if text.next_char():
        raise _broken()


def _elements(text: _Text) -> Iterator[Found]:
    mark = text.next_char()
    while mark != "]":
        if mark != "{":
            raise Unreadable(_("Expected a list of conversations; this is something else."))
        yield _object(text)
        mark = text.next_char()
        if mark not in (",", "]"):
            raise _broken()
        if mark == ",":
            text.at += 1
            mark = text.next_char()


def _object(text: _Text) -> dict[str, Any]:
    """The object that begins here; tried with more and more of the text until it is whole."""
    wanted = _CHUNK
    while True:
        text.grow(wanted)
        try:
            found, text.at = _DECODER.raw_decode(text.text, text.at)
            return dict(found)
        except json.JSONDecodeError:
            if text.is_whole:
                raise _broken() from None
        except (ValueError, RecursionError):
            raise _broken() from None
        if wanted >= MOST_OBJECT_CHARS:
            megabytes = {"most": MOST_OBJECT_CHARS // 1024**2}
            raise Unreadable(
                _(
                    "A conversation in it is broken, or larger than %(most)d MB with its files. "
                    "In a zip of all conversations it can be larger."
                )
                % megabytes
            )
        wanted = min(2 * wanted, MOST_OBJECT_CHARS)


def _broken() -> Unreadable:
    return Unreadable(_("The JSON is broken, and nothing behind the break can be read."))


def _finite(number: str) -> float:
    value = float(number)
    if not isfinite(value):
        raise ValueError(number)
    return value


def _refused(constant: str) -> None:
    raise ValueError(constant)  # NaN and Infinity are not JSON, and no database keeps them


_DECODER = json.JSONDecoder(parse_constant=_refused, parse_float=_finite)
