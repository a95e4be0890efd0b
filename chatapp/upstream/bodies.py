"""The bytes of a 200 in → what a protocol reads in them: events, one JSON value, text, a web page.

A decoder here knows the framing of a body; what an event or a value means it asks its `Reader`.
"""

import codecs
import json
from collections.abc import Callable
from typing import Protocol

from django.utils.translation import gettext as _

from chatapp.errors import Problem
from chatapp.events import Event
from chatapp.upstream.answer import Answer
from chatapp.upstream.contract import Decoder, Target
from chatapp.upstream.problems import page_message
from chatapp.upstream.sse import EventStreamParser, EventTooLarge, ServerSentEvent

MAX_JSON_BYTES = 8 * 1024 * 1024

_MAX_PAGE_BYTES = 64 * 1024
_BLANK = b" \t\r\n\xef\xbb\xbf"
_SHOWN_CHARS = 80
_JSON = json.JSONDecoder()


class Reader(Protocol):
    """What one protocol makes of a body. Both methods may close the answer."""

    end_is_marker: bool

    def read_event(self, answer: Answer, event: ServerSentEvent) -> None:
        """One event of an event stream, whole."""
        ...

    def read_value(self, answer: Answer, value: object) -> None:
        """The one JSON value of a body that was not streamed."""
        ...


class EventStreamDecoder:
    """An event stream. A proper end of the body is an end marker if the protocol says so."""

    def __init__(self, reader: Reader, answer: Answer) -> None:
        self._answer = answer
        self._parser = EventStreamParser()
        self._read = reader.read_event
        self._end_is_marker = reader.end_is_marker

    def feed(self, data: bytes) -> list[Event]:
        answer = self._answer
        try:
            for event in self._parser.feed(data):
                if answer.is_closed:
                    break
                answer.has_begun = True
                self._read(answer, event)
        except EventTooLarge as error:
            answer.reject(str(error))
        return answer.take()

    def close(self, problem: Problem | None = None) -> list[Event]:
        self._answer.end(problem, is_marker=self._end_is_marker)
        return self._answer.take()


class JsonDecoder:
    """One JSON value, from a server that did not stream: nothing shows before its end."""

    def __init__(self, reader: Reader, answer: Answer) -> None:
        self._answer = answer
        self._reader = reader
        self._pieces: list[bytes] = []
        self._bytes = 0

    def feed(self, data: bytes) -> list[Event]:
        if self._answer.is_closed:
            return []
        self._bytes += len(data)
        self._pieces.append(data)
        if self._bytes > MAX_JSON_BYTES:
            self._pieces.clear()
            self._answer.reject(_("The endpoint's JSON is larger than 8 MiB."))
        return self._answer.take()

    def close(self, problem: Problem | None = None) -> list[Event]:
        text = b"".join(self._pieces).decode("utf-8", "replace").strip()
        if text and problem is None and not self._answer.is_closed:
            self._read(text)
        self._answer.end(problem, is_marker=True)
        return self._answer.take()

    def _read(self, text: str) -> None:
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            reject_as_json(self._answer, text)
        else:
            self._answer.has_begun = True
            self._reader.read_value(self._answer, value)


class TextDecoder:
    """Raw text, byte for byte; code points may be cut. The end of the body is its end marker."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode

    def feed(self, data: bytes) -> list[Event]:
        self._answer.say(self._decode(data))
        return self._answer.take()

    def close(self, problem: Problem | None = None) -> list[Event]:
        self._answer.say(self._decode(b"", True))
        self._answer.end(problem, is_marker=True)
        return self._answer.take()


class WebPageDecoder:
    """HTML where an answer belongs: only its title is told."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._page = bytearray()

    def feed(self, data: bytes) -> list[Event]:
        self._page += data
        return self.close() if len(self._page) > _MAX_PAGE_BYTES else []

    def close(self, problem: Problem | None = None) -> list[Event]:
        page = self._page[:_MAX_PAGE_BYTES].decode("utf-8", "replace")
        self._answer.reject(page_message(page, 200))
        return self._answer.take()


class SniffingDecoder:
    """A body whose type says little: its first byte that is not white space decides."""

    def __init__(self, choose: Callable[[bytes], Decoder], answer: Answer) -> None:
        self._choose = choose
        self._answer = answer
        self._chosen: Decoder | None = None

    def feed(self, data: bytes) -> list[Event]:
        if self._chosen is None:
            # Blank lines mean nothing in JSON, HTML or an event stream: DeepSeek sends them
            # before JSON as a sign of life.
            data = data.lstrip(_BLANK)
            if not data:
                return []
            self._chosen = self._choose(data[:1])
        return self._chosen.feed(data)

    def close(self, problem: Problem | None = None) -> list[Event]:
        if self._chosen is not None:
            return self._chosen.close(problem)
        self._answer.end(problem)
        return self._answer.take()


def decoder_for(reader: Reader, target: Target, content_type: str) -> Decoder:
    """The decoder that the content type asks for, or the first byte where the type says little."""
    answer = Answer(target.api_key)
    media_type = media_type_of(content_type)
    if media_type == "text/event-stream":
        return EventStreamDecoder(reader, answer)
    if is_json(media_type):
        return JsonDecoder(reader, answer)

    def choose(first: bytes) -> Decoder:
        if first in b"{[":
            return JsonDecoder(reader, answer)
        if first == b"<":
            return WebPageDecoder(answer)
        return EventStreamDecoder(reader, answer)

    return SniffingDecoder(choose, answer)


def media_type_of(content_type: str) -> str:
    """`text/html` of `Text/HTML; charset=utf-8`."""
    return content_type.partition(";")[0].strip().lower()


def is_json(media_type: str) -> bool:
    """Whether a body of this type is one JSON value."""
    return media_type == "application/json" or media_type.endswith("+json")


def parse_json(answer: Answer, text: str) -> object:
    """The JSON value of one event's data; None, and the answer closed, if it is none."""
    try:
        return _JSON.decode(text)
    except (ValueError, RecursionError):
        reject_as_json(answer, text)
        return None


def reject_as_json(answer: Answer, text: str) -> None:
    """Closes the answer because `text` had to be JSON."""
    sentence = _("The endpoint sent something that is not JSON: %(beginning)s")
    answer.reject(sentence % {"beginning": text[:_SHOWN_CHARS]})
