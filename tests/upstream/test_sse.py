"""The rules of an event stream, each read whole, byte by byte, and with data behind it."""

import time

import pytest

from chatapp.upstream.sse import (
    MAX_EVENT_BYTES,
    MAX_LINE_BYTES,
    EventStreamParser,
    EventTooLarge,
    ServerSentEvent,
)

RULES = {
    "an event ends with an empty line": (b"data: a\n\ndata: b\n\n", ["a", "b"]),
    "lines end with CRLF": (b"data: a\r\ndata: b\r\n\r\n", ["a\nb"]),
    "lines end with a lone CR": (b"data: a\rdata: b\r\rdata: c\r\r", ["a\nb", "c"]),
    "line ends may be mixed": (b"data: a\rdata: b\r\ndata: c\n\r\n", ["a\nb\nc"]),
    "one space after the colon is dropped": (b"data:  a \n\ndata:b\n\n", [" a ", "b"]),
    "a tab after the colon is text": (b"data:\ta\n\n", ["\ta"]),
    "an event without data is dropped": (b"event: x\nid: 1\n\ndata: a\n\n", ["a"]),
    "an empty data line is the empty string": (b"data:\n\ndata\n\ndata: \n\n", ["", "", ""]),
    "two empty data lines are one newline": (b"data:\ndata:\n\n", ["\n"]),
    "a line that begins with a colon is a comment": (b": ping\n\n:\n:data: x\ndata: a\n\n", ["a"]),
    "unknown fields are ignored": (b"x: 1\nretry: 5\nid: 7\ndata: a\n\n", ["a"]),
    "field names are exact": (b"Data: x\n data: x\ndata : x\ndata: a\n\n", ["a"]),
    "a value may hold colons": (b"data: a: b\n\n", ["a: b"]),
    "one BOM at the start is dropped": (b"\xef\xbb\xbfdata: a\n\n", ["a"]),
    "a second BOM is text": (b"\xef\xbb\xbf\xef\xbb\xbfdata: x\n\ndata: a\n\n", ["a"]),
    "a BOM later on is text": (b"data: \xef\xbb\xbfa\n\n", ["\ufeffa"]),
    "broken UTF-8 is replaced": (b"data: a\xff\xe2\x82\n\n", ["a\ufffd\ufffd"]),
    "other separators are text": (
        "data: a\u2028b\u2029c\x85d\x0be\x0cf\x1cg\n\n".encode(),
        ["a\u2028b\u2029c\x85d\x0be\x0cf\x1cg"],
    ),
    "what stands after the last empty line is dropped": (b"data: a\n\ndata: b\n", ["a"]),
    "many empty lines are one": (b"\n\n\ndata: a\n\n\n\n", ["a"]),
    "U+0000 is handed on": (b"data: a\0b\n\n", ["a\0b"]),
}


@pytest.mark.parametrize(("stream", "expected"), RULES.values(), ids=RULES.keys())
@pytest.mark.parametrize("size", [10_000, 1, 2, 3])
def test_rule(stream: bytes, expected: list[str], size: int) -> None:
    parser = EventStreamParser()

    events = [
        event for at in range(0, len(stream), size) for event in parser.feed(stream[at : at + size])
    ]

    assert [event.data for event in events] == expected


@pytest.mark.parametrize(("stream", "expected"), RULES.values(), ids=RULES.keys())
def test_rule_with_empty_reads_between(stream: bytes, expected: list[str]) -> None:
    parser = EventStreamParser()

    events = [
        event for byte in stream for part in (b"", bytes([byte])) for event in parser.feed(part)
    ]

    assert [event.data for event in events] == expected


def test_the_name_of_an_event_is_its_last_event_line_and_holds_for_one_event() -> None:
    events = list(EventStreamParser().feed(b"event: a\nevent: b\ndata: 1\n\ndata: 2\n\n"))

    assert events == [ServerSentEvent("b", "1"), ServerSentEvent("", "2")]


def test_the_name_of_a_dropped_event_is_forgotten() -> None:
    events = list(EventStreamParser().feed(b"event: a\n\ndata: 1\n\n"))

    assert events == [ServerSentEvent("", "1")]


@pytest.mark.parametrize("size", [MAX_LINE_BYTES, 1000])
def test_a_line_that_is_too_long_is_refused_after_the_events_before(size: int) -> None:
    stream = b"data: a\n\n" + b"x" * (MAX_LINE_BYTES + 1)
    parser = EventStreamParser()
    events = []

    with pytest.raises(EventTooLarge, match="a line of more than 256 KiB"):
        for at in range(0, len(stream), size):
            for event in parser.feed(stream[at : at + size]):
                events.append(event)

    assert [event.data for event in events] == ["a"]


def test_a_line_of_just_the_limit_is_taken() -> None:
    line = b"data: " + b"x" * (MAX_LINE_BYTES - 6)

    [event] = EventStreamParser().feed(line + b"\n\n")

    assert len(event.data) == MAX_LINE_BYTES - 6


def test_an_event_of_many_lines_has_a_limit_too() -> None:
    line = b"data: " + b"x" * 100_000 + b"\n"

    with pytest.raises(EventTooLarge, match="an event of more than 1,024 KiB"):
        list(EventStreamParser().feed(line * (MAX_EVENT_BYTES // 100_000 + 1)))


def test_an_event_of_almost_a_megabyte_comes_byte_by_byte_in_linear_time() -> None:
    stream = (b"data: " + b"x" * 100_000 + b"\n") * 9 + b"\n"
    parser = EventStreamParser()
    started = time.process_time()

    events = [event for at in range(len(stream)) for event in parser.feed(stream[at : at + 1])]

    # Joining a growing string for each byte would move 40 GB here, which takes many seconds.
    assert time.process_time() - started < 10
    assert [len(event.data) for event in events] == [900_008]
