"""Bytes that are what they seem, and bytes that only seem so."""

import io
import zipfile

import pytest

from chatapp.composing.filetypes import Damaged, clean_name, image_in, is_text
from tests.images import GIF, JPEG, PNG, WEBP, WEBP_LOSSLESS, png

IMAGES = {
    "png": ("image/png", PNG),
    "jpeg": ("image/jpeg", JPEG),
    "gif": ("image/gif", GIF),
    "webp": ("image/webp", WEBP),
    "lossless webp": ("image/webp", WEBP_LOSSLESS),
}
EXECUTABLE = b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HTML = b"<!doctype html><script>alert(1)</script>"
GIF_SCRIPT = b"GIF89a/*\x01\0\x80\0\0" + b"*/=1;alert(1)//" + b"\0" * 20


def archive() -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as files:
        files.writestr("a.txt", "hello")
    return held.getvalue()


@pytest.mark.parametrize("name", IMAGES)
def test_an_image_is_known_by_its_structure(name: str) -> None:
    media_type, data = IMAGES[name]

    assert image_in(data) == (media_type, data)
    assert not is_text(data)


@pytest.mark.parametrize("name", IMAGES)
def test_an_image_that_breaks_off_anywhere_is_damaged(name: str) -> None:
    data = IMAGES[name][1]

    for length in range(12, len(data) - 1):
        with pytest.raises(Damaged):
            image_in(data[:length])


@pytest.mark.parametrize("name", ["png", "gif", "webp"])
@pytest.mark.parametrize("tail", [archive(), HTML, b"MZ"], ids=["zip", "html", "exe"])
def test_an_image_with_something_behind_it_is_none(name: str, tail: bytes) -> None:
    with pytest.raises(Damaged):
        image_in(IMAGES[name][1] + tail)


def test_what_a_camera_puts_behind_a_jpeg_is_cut_off() -> None:
    assert image_in(JPEG + b"\0\0\0\x18ftypmp42 a film") == ("image/jpeg", JPEG)
    assert image_in(JPEG + archive()) == ("image/jpeg", JPEG)


@pytest.mark.parametrize(
    "data",
    [
        GIF_SCRIPT,
        b"GIF89a" + b"=1;alert(1)//" * 9,
        b"\x89PNG\r\n\x1a\n" + HTML,
        b"\xff\xd8\xff\xe0" + HTML,
        b"\xff\xd8\xff\xd9",
        b"RIFF\x1e\0\0\0WEBP" + HTML,
        b"RIFF\x04\0\0\0WEBP",
        PNG.replace(b"IHDR", b"IHDX"),
        PNG[:20] + b"\0\0\0\0" + PNG[24:],
    ],
)
def test_a_signature_alone_makes_no_image(data: bytes) -> None:
    with pytest.raises(Damaged):
        image_in(data)


@pytest.mark.parametrize("data", [SVG, HTML, b"%PDF-1.7", EXECUTABLE, archive(), b"", b"BM....."])
def test_nothing_else_is_an_image(data: bytes) -> None:
    assert image_in(data) is None


def test_a_large_picture_is_followed_to_its_end() -> None:
    data = png(800, 600, filling=100_000)

    assert image_in(data) == ("image/png", data)


@pytest.mark.parametrize(
    "data",
    [SVG, HTML, b"a\tb\r\nc\fd", "héllo 世界 🌊".encode(), b"\xef\xbb\xbfwith a mark", b" "],
)
def test_text_is_text_whatever_it_is_for(data: bytes) -> None:
    assert is_text(data)


@pytest.mark.parametrize(
    "data",
    [EXECUTABLE, b"a\0b", b"\x1b[31mred", b"caf\xe9", b"\xff\xfeh\0i\0", b"a\x7f", "\x9b".encode()],
)
def test_what_no_person_reads_is_no_text(data: bytes) -> None:
    assert not is_text(data)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("notes.txt", "notes.txt"),
        ("C:\\temp\\..\\notes.txt", "notes.txt"),
        ("../../etc/passwd", "passwd"),
        ("photo\u202egpj.exe", "photogpj.exe"),
        ("a\u2066b\u200bc\x00d\x1b.txt", "abcd.txt"),
        ("two\nlines  and   more.txt", "two lines and more.txt"),
        ("世界 🌊.md", "世界 🌊.md"),
        (".gitignore", ".gitignore"),
        ("..", "file"),
        ("a/", "file"),
        ("", "file"),
    ],
)
def test_a_name_keeps_only_what_can_be_seen(given: str, kept: str) -> None:
    assert clean_name(given, 120) == kept


def test_a_long_name_keeps_its_ending() -> None:
    name = clean_name("x" * 300 + ".py", 120)

    assert len(name) == 120 and name.endswith("x.py")
    assert len(clean_name("x" * 300, 120)) == 120
