"""Bytes of an event stream in → its events out, cut anywhere, in linear time.

Source: WHATWG HTML, 9.2.5 "Parsing an event stream" and 9.2.6 "Interpreting an event stream",
https://html.spec.whatwg.org/multipage/server-sent-events.html (2026-10). The quotes are from there.
"""

from collections.abc import Iterator
from typing import NamedTuple

from django.utils.translation import gettext as _

from chatapp.locales import counted

MAX_LINE_BYTES = 256 * 1024
MAX_EVENT_BYTES = 1024 * 1024

_BOM = b"\xef\xbb\xbf"


class ServerSentEvent(NamedTuple):
    """One dispatched event; `name` is "" without an `event` field."""

    name: str
    data: str


class EventTooLarge(Exception):
    """A line or an event is larger than anything a model sends; `str()` is the sentence."""


class EventStreamParser:
    """Feed it bytes as they come. What stands after the last empty line is never given out."""

    def __init__(self) -> None:
        self._partial: list[bytes] = []
        self._partial_bytes = 0
        self._ended_with_cr = False
        self._is_first_line = True
        self._name = b""
        self._data: list[bytes] = []
        self._data_bytes = 0

    def feed(self, data: bytes) -> Iterator[ServerSentEvent]:
        """The events that `data` completes, in order.

        Raises `EventTooLarge` after the events before it; the parser is of no use then.
        """
        *lines, rest = self._split(data)
        for line in lines:
            if self._partial or self._is_first_line or len(line) > MAX_LINE_BYTES:
                line = self._whole(line)
            if line:
                self._read(line)
            elif event := self._dispatch():
                # "If the line is empty (a blank line): Dispatch the event."
                yield event
        if rest:
            self._keep(rest)

    def _split(self, data: bytes) -> list[bytes]:
        """What `data` has of each line; the last one has not ended, and may be empty."""
        # A CR that ended the last write has ended its line; an LF that follows belongs to it.
        if self._ended_with_cr and data:
            data = data.removeprefix(b"\n")
            self._ended_with_cr = False
        if not data:
            return [b""]
        self._ended_with_cr = data.endswith(b"\r")
        # Lines end with CRLF, LF or a lone CR, which is what splitlines means for bytes, not str.
        lines = data.splitlines()
        if data.endswith((b"\n", b"\r")):
            lines.append(b"")
        return lines

    def _whole(self, line: bytes) -> bytes:
        self._keep(line)
        line = b"".join(self._partial)
        self._partial, self._partial_bytes = [], 0
        if self._is_first_line:
            self._is_first_line = False
            # "one leading U+FEFF BYTE ORDER MARK character must be ignored if any are present"
            line = line.removeprefix(_BOM)
        return line

    def _keep(self, piece: bytes) -> None:
        self._partial_bytes += len(piece)
        if self._partial_bytes > MAX_LINE_BYTES:
            sentence = _("The endpoint sent a line of more than %(most)s KiB.")
            raise EventTooLarge(sentence % {"most": counted(MAX_LINE_BYTES // 1024)})
        self._partial.append(piece)

    def _read(self, line: bytes) -> None:
        # A line that starts with a colon is a comment: its field is empty, so it is ignored.
        # "Otherwise, the string is not empty but does not contain a colon: Process the field
        # using the whole line as the field name, and the empty string as the field value."
        field, _colon, value = line.partition(b":")
        # "If value starts with a U+0020 SPACE character, remove it from value." One, no more.
        if value.startswith(b" "):
            value = value[1:]
        if field == b"data":
            self._append(value)
        elif field == b"event":
            self._name = value
        # Other fields are ignored; `id` and `retry` too, as a POST is never reconnected.

    def _append(self, value: bytes) -> None:
        self._data_bytes += len(value) + 1
        if self._data_bytes > MAX_EVENT_BYTES:
            sentence = _("The endpoint sent an event of more than %(most)s KiB.")
            raise EventTooLarge(sentence % {"most": counted(MAX_EVENT_BYTES // 1024)})
        self._data.append(value)

    def _dispatch(self) -> ServerSentEvent | None:
        name, lines = self._name, self._data
        self._name, self._data, self._data_bytes = b"", [], 0
        if not lines:
            return None
        # "Streams must be decoded using the UTF-8 decode algorithm", which replaces what is broken.
        data = b"\n".join(lines).decode("utf-8", "replace")
        return ServerSentEvent(name.decode("utf-8", "replace"), data)
