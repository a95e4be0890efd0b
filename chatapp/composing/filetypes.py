"""A file's bytes → what they are: an image that can be shown, text, or neither.

Names and the sender's word count for nothing. An image is followed through its structure to its
end, so that what only begins like one, or carries something else behind it, is none.

Sources: PNG (https://www.w3.org/TR/png-3/), JPEG (ITU T.81, annex B), GIF89a
(https://www.w3.org/Graphics/GIF/spec-gif89a.txt), WebP (RFC 9649).
"""

import re
from collections.abc import Callable
from typing import Literal
from unicodedata import category
from zlib import crc32

_PNG = b"\x89PNG\r\n\x1a\n"
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f]")
# Control, format (among them all that changes the direction of writing), surrogate, separator.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# After these a JPEG marker has begun; FF 00 and restarts are part of the picture, FF FF is filling.
_JPEG_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_JPEG_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_JPEG_SEGMENTS = frozenset({*range(0xC0, 0xFF)} - {*range(0xD0, 0xDA)})


class Damaged(ValueError):
    """The bytes begin like an image and do not go on like one."""


def image_in(data: bytes) -> tuple[str, bytes] | None:
    """The media type and the bytes of an image; None if the data does not begin like one.

    Cameras put previews and films behind a JPEG's end: those are cut off. Raises Damaged.
    """
    for media_type, begins, end_of in _IMAGES:
        if begins(data):
            try:
                end = end_of(data)
            except IndexError:
                raise Damaged from None
            if media_type != "image/jpeg" and data[end:].strip(b"\0"):
                raise Damaged
            return media_type, data[:end]
    return None


def is_text(data: bytes) -> bool:
    """Whether it is UTF-8 that a person can read: no control characters but those of plain text."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return not _CONTROLS.search(text)


def clean_name(name: str, most_chars: int) -> str:
    """A file's name without its folders and without what hides or turns round letters."""
    last = re.split(r"[/\\]", name)[-1]
    line = "".join(c for c in " ".join(last.split()) if category(c) not in _UNSEEN).strip()
    stem, dot, ending = line.rpartition(".")
    if len(line) > most_chars and dot and len(ending) < 16:
        line = stem[: most_chars - len(ending) - 1] + dot + ending
    return line[:most_chars] if line.strip(". ") else "file"


def _require(holds: object) -> None:
    if not holds:
        raise Damaged


def _number(data: bytes, at: int, size: int, order: Literal["big", "little"] = "big") -> int:
    field = data[at : at + size]
    _require(len(field) == size)
    return int.from_bytes(field, order)


def _end_of_png(data: bytes) -> int:
    at, has_picture = len(_PNG), False
    while True:
        size, kind = _number(data, at, 4), data[at + 4 : at + 8]
        end = at + 12 + size
        _require(len(kind) == 4 and kind.isalpha() and end <= len(data))
        _require(crc32(memoryview(data)[at + 4 : end - 4]) == _number(data, end - 4, 4))
        if at == len(_PNG):
            _require(kind == b"IHDR" and size == 13)
            _require(_number(data, at + 8, 4) and _number(data, at + 12, 4))
        has_picture = has_picture or kind == b"IDAT"
        at = end
        if kind == b"IEND":
            _require(size == 0 and has_picture)
            return at


def _end_of_jpeg(data: bytes) -> int:
    at, has_frame, has_picture = 2, False, False
    while True:
        _require(data[at] == 0xFF)
        while data[at] == 0xFF:
            at += 1
        marker = data[at]
        at += 1
        if marker == 0xD9:
            _require(has_picture)
            return at
        _require(marker in _JPEG_SEGMENTS)
        size = _number(data, at, 2)
        _require(size >= 2 and at + size <= len(data))
        has_frame = has_frame or marker in _JPEG_FRAMES
        at += size
        if marker == 0xDA:
            _require(has_frame)
            has_picture = True
            found = _JPEG_MARKER.search(data, at)
            _require(found)
            at = found.start() if found else at


def _end_of_gif(data: bytes) -> int:
    _require(_number(data, 6, 2, "little") and _number(data, 8, 2, "little"))
    at, has_picture = 13 + _gif_colours(data[10]), False
    while True:
        kind = data[at]
        if kind == 0x3B:
            _require(has_picture)
            return at + 1
        if kind == 0x21:
            at = _end_of_gif_blocks(data, at + 2)
        else:
            _require(kind == 0x2C)
            at += 10 + _gif_colours(data[at + 9])
            _require(2 <= data[at] <= 11)
            at, has_picture = _end_of_gif_blocks(data, at + 1), True


def _gif_colours(flags: int) -> int:
    """Bytes of the colour table that follows."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _end_of_gif_blocks(data: bytes, at: int) -> int:
    while size := data[at]:
        at += 1 + size
    return at + 1


def _end_of_webp(data: bytes) -> int:
    end = 8 + _number(data, 4, 4, "little")
    _require(end <= len(data))
    at, has_picture = 12, False
    while at < end:
        kind, size = data[at : at + 4], _number(data, at + 4, 4, "little")
        body = data[at + 8 : at + 18]
        _require(at + 8 + size <= end)
        _require(at > 12 or kind in (b"VP8 ", b"VP8L", b"VP8X"))
        _require(kind != b"VP8 " or body[3:6] == b"\x9d\x01\x2a")
        _require(kind != b"VP8L" or body[:1] == b"\x2f")
        has_picture = has_picture or kind in (b"VP8 ", b"VP8L", b"ANMF")
        at += 8 + size + size % 2
    _require(has_picture)
    return end


_IMAGES: tuple[tuple[str, Callable[[bytes], bool], Callable[[bytes], int]], ...] = (
    ("image/png", lambda data: data.startswith(_PNG), _end_of_png),
    ("image/jpeg", lambda data: data.startswith(b"\xff\xd8\xff"), _end_of_jpeg),
    ("image/gif", lambda data: data.startswith((b"GIF87a", b"GIF89a")), _end_of_gif),
    ("image/webp", lambda data: data[:4] == b"RIFF" and data[8:12] == b"WEBP", _end_of_webp),
)
