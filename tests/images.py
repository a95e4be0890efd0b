"""Small images of every kind that a message can have."""

import zlib
from base64 import b64decode

JPEG = b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAFA3PEY8MlBGQUZaVVBfeMiCeG5uePWvuZHI////////////////////////"
    "////////////////////////////2wBDAVVaWnhpeOuCguv//////////////////////////////////////////////"
    "///////////////////////////wAARCAACAAIDASIAAhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAAAAP/xAAUEAEAAA"
    "AAAAAAAAAAAAAAAAAA/8QAFQEBAQAAAAAAAAAAAAAAAAAAAQP/xAAUEQEAAAAAAAAAAAAAAAAAAAAA/9oADAMBAAIRA"
    "xEAPwCYBSf/2Q=="
)
WEBP = b64decode("UklGRi4AAABXRUJQVlA4ICIAAABwAQCdASoCAAIAB0CWJaACdAFAAAD+4KVBV14d3N17rgAA")
WEBP_LOSSLESS = b64decode("UklGRh4AAABXRUJQVlA4TBEAAAAvAUAAAAdQuz7Urf+BiOh/AAA=")
GIF = (
    b"GIF89a\x01\0\x01\0\x80\0\0\x0f\x76\x6e\xff\xff\xff"  # one pixel, two colours
    b"\x21\xf9\x04\0\0\0\0\0"  # graphic control
    b"\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0;"
)


def png(width: int = 2, height: int = 2, *, filling: int = 0) -> bytes:
    """A teal picture, made larger by `filling` bytes that no viewer shows."""
    rows = (b"\0" + b"\x0f\x76\x6e" * width) * height
    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\x02\0\0\0"
    extra = _chunk(b"teXt", bytes(filling)) if filling else b""
    picture = _chunk(b"IHDR", head) + extra + _chunk(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + picture + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    check = zlib.crc32(kind + data).to_bytes(4, "big")
    return len(data).to_bytes(4, "big") + kind + data + check


PNG = png()
