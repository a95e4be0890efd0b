"""Codings change the writes, never the body."""

import zlib

from chatapp.demo.coding import Gzip, SplitUtf8

WRITES = ["plain ", "é", " and 風", "🌊🌊", "", "end"]


def test_split_utf8_ends_writes_inside_the_last_wide_character() -> None:
    coding = SplitUtf8()

    sent = [coding.encode(text.encode()) for text in WRITES]

    assert sent[:4] == [b"plain ", b"\xc3", b"\xa9 and \xe9", b"\xa2\xa8\xf0\x9f\x8c\x8a\xf0"]
    assert (b"".join(sent) + coding.flush()).decode() == "".join(WRITES)


def test_each_gzip_write_can_be_read_at_once() -> None:
    coding, inflator = Gzip(), zlib.decompressobj(wbits=31)

    for text in WRITES:
        assert inflator.decompress(coding.encode(text.encode())).decode() == text

    assert inflator.decompress(coding.flush()) == b""
    assert inflator.eof
