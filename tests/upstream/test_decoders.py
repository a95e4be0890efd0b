"""What each protocol makes of events and values that the recorded responses do not show."""

import json
import re
from typing import Any

import pytest

from chatapp.errors import Kind, Problem
from chatapp.events import ReasoningDelta, Truncated
from chatapp.upstream import bodies
from chatapp.upstream.answer import MAX_ANSWER_CHARS
from chatapp.upstream.contract import Target
from chatapp.upstream.protocols import ADAPTERS
from tests.upstream.asking import outcome

SSE = "text/event-stream"
BROKEN = Problem(Kind.NETWORK, "It broke.")
ECHO = "it is KEY-0123/456, and KEY-0123 is not"


def test_parts_of_content_are_text_and_reasoning() -> None:
    thinking = {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}
    parts = [thinking, {"type": "text", "text": "a"}, {"type": "image"}, None]

    found = read("openai", {"choices": [{"delta": {"content": parts}, "finish_reason": "stop"}]})

    assert (found["reasoning"], found["text"], found["finish"]) == ("hm", "a", "stop")


@pytest.mark.parametrize("delta", [{}, None])
def test_a_whole_message_at_the_end_is_not_said_twice(delta: object) -> None:
    whole = {"delta": delta, "message": {"content": "Hello."}, "finish_reason": "stop"}

    found = read(
        "openai",
        {"choices": [{"delta": {"role": "assistant", "content": ""}}]},
        {"choices": [{"delta": {"content": "Hel"}}]},
        {"choices": [{"delta": {"content": "lo."}}]},
        {"choices": [whole]},
    )

    assert found["text"] == "Hello."


def test_of_a_whole_message_at_the_end_only_what_is_new_is_said() -> None:
    whole = {"delta": {}, "message": {"reasoning": "hm", "content": "Hello."}}

    found = read("openai", {"choices": [{"delta": {"reasoning": "hm"}}]}, {"choices": [whole]})

    assert (found["reasoning"], found["text"]) == ("hm", "Hello.")


def test_messages_in_the_place_of_deltas_are_all_said() -> None:
    pieces = [{"choices": [{"message": {"content": piece}}]} for piece in ("Hel", "lo.")]

    assert read("openai", *pieces)["text"] == "Hello."


def test_nothing_follows_the_end_of_an_answer_that_is_too_long() -> None:
    message = {"reasoning_content": "r" * (MAX_ANSWER_CHARS + 1), "content": "text"}
    body = json.dumps({"choices": [{"message": message, "finish_reason": "stop"}]}).encode()
    decoder = ADAPTERS["openai"].decoder(Target("openai", ""), "application/json")

    events = decoder.feed(body) + decoder.close(None)

    assert [type(event) for event in events] == [ReasoningDelta, Truncated]


def test_only_the_first_choice_is_read() -> None:
    found = read(
        "openai",
        {"choices": [{"index": 1, "delta": {"content": "x"}}, {"delta": {"content": "a"}}]},
        {"choices": [{"index": 0, "delta": {"content": "b"}, "finish_reason": "stop"}]},
    )

    assert found["text"] == "ab"


@pytest.mark.parametrize(
    "chunk",
    [
        {"choices": None},
        {"choices": [None]},
        {"choices": "x"},
        {"choices": [{"delta": None}]},
        {"choices": [{"delta": "x"}]},
        {"choices": [{"delta": {"content": 5, "reasoning": {}, "refusal": []}}]},
        {"choices": [{"finish_reason": ""}], "usage": []},
        {"usage": {"prompt_tokens": "many"}},
        [],
        5,
        None,
    ],
)
def test_a_chunk_of_another_shape_is_skipped(chunk: object) -> None:
    found = read("openai", chunk, {"choices": [{"text": "a", "finish_reason": "stop"}]})

    assert (found["status"], found["text"]) == ("complete", "a")


def test_halves_of_a_pair_are_joined_across_deltas_of_the_wire() -> None:
    halves = [
        b'data: {"choices":[{"delta":{"content":"%b"}}]}\n\n' % half
        for half in (rb"\ud83c", rb"\udf0a")
    ]

    found = decode("openai", b"".join(halves) + b"data: [DONE]\n\n")

    assert found["text"] == "🌊"


def test_bad_json_is_told_and_the_text_before_kept() -> None:
    good = b'data: {"choices":[{"delta":{"content":"a"}}]}\n\n'

    found = decode("openai", good + b"data: {oops\n\ndata: [DONE]\n\n")

    assert (found["status"], found["text"]) == ("error", "a")
    assert found["problem"].kind is Kind.PROTOCOL
    assert "not JSON: {oops" in found["problem"].message


def test_what_is_quoted_holds_no_key_and_nothing_that_cannot_be_stored() -> None:
    found = decode("openai", b"data: {KEY-0123\0\n\n", api_key=" KEY-0123\n")

    assert found["problem"].message.endswith("not JSON: {[key]\ufffd")


@pytest.mark.parametrize("cut", range(len(ECHO) + 1))
@pytest.mark.parametrize("field", ["content", "reasoning", "refusal"])
def test_a_key_in_the_answer_is_removed_wherever_it_is_cut(field: str, cut: int) -> None:
    told = {"content": "text"}.get(field, field)
    reader = Reader("openai", "KEY-0123/456")

    for piece in (ECHO[:cut], ECHO[cut:]):
        reader.feed(said(field, piece))
    reader.feed(b"data: [DONE]\n\n")

    said_of_it = re.sub(r"(KEY|KE|K)\[key\]", "[key]", outcome(reader.events)[told])
    assert said_of_it == "it is [key], and KEY-0123 is not"


def test_what_only_begins_like_the_key_comes_late_whole_and_in_order() -> None:
    reader = Reader("openai", "KEY-0123/456")

    told = [
        [event.text for event in reader.feed(said("content", piece))]
        for piece in ("a KEY", "-0123", "/45 b", " KE", "Y c", " d")
    ]

    assert told == [["a KEY"], [], ["-0123/45 b"], [" KE"], ["Y c"], [" d"]]


@pytest.mark.parametrize(("end", "rest"), [("KEY-012", "KEY-012"), ("KEY-0123/45", "[key]")])
@pytest.mark.parametrize("problem", [None, BROKEN])
def test_what_was_held_back_is_told_when_the_answer_ends(
    end: str, rest: str, problem: Problem | None
) -> None:
    reader = Reader("openai", "KEY-0123/456")

    reader.feed(said("content", "It is "))
    reader.feed(said("content", end))
    reader.close(problem)

    assert outcome(reader.events)["text"] == f"It is {rest}"


def test_reasons_and_counts_fit_the_database() -> None:
    usage = {"prompt_tokens": 10**30, "completion_tokens": True}
    choice = {"finish_reason": "\0\ud83c" + "x" * 10_000}

    found = read("openai", {"choices": [choice], "usage": usage})

    assert found["finish"] == "\ufffd\ufffd" + "x" * 98
    assert found["usage"] is None


def test_json_that_is_nested_too_deep_is_told() -> None:
    found = decode("openai", b"data: " + b"[" * 100_000 + b"\n\n")

    assert found["problem"].kind is Kind.PROTOCOL


def test_an_error_event_may_be_plain_text() -> None:
    found = decode("openai", b"event: error\ndata: upstream KEY-0123 gone\n\n", api_key="KEY-0123")

    assert found["problem"].message == "upstream [key] gone"


def test_text_beside_an_error_is_kept() -> None:
    found = read("openai", {"choices": [{"delta": {"content": "a"}}], "error": {"code": 429}})

    assert (found["status"], found["text"]) == ("error", "a")
    assert found["problem"].kind is Kind.RATE_LIMIT


def test_nothing_after_the_end_marker_is_read() -> None:
    found = decode("openai", b'data: [DONE]\n\ndata: {"error": "x"}\n\ndata: [DONE]\n\n')

    assert found["status"] == "complete"


def test_a_break_after_a_finish_reason_is_complete() -> None:
    chunk = sse({"choices": [{"delta": {"content": "a"}, "finish_reason": "stop"}]})

    assert decode("openai", chunk, end=BROKEN)["status"] == "complete"


def test_a_break_before_any_event_is_a_failure() -> None:
    assert decode("openai", b": comment\n\n", end=BROKEN)["status"] == "error"
    assert decode("openai", sse({}), end=BROKEN)["status"] == "incomplete"


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/octet-stream"])
@pytest.mark.parametrize("blank", [b"", b"\r\n \n\n", b"\xef\xbb\xbf"])
def test_without_a_telling_type_the_first_byte_decides(content_type: str, blank: bytes) -> None:
    chunk = {"choices": [{"message": {"content": "a"}, "finish_reason": "stop"}]}

    as_json = decode("openai", blank + json.dumps(chunk).encode(), content_type)
    as_events = decode("openai", blank + sse(chunk), content_type)

    assert (as_json["text"], as_json["status"]) == ("a", "complete")
    assert (as_events["text"], as_events["status"]) == ("a", "complete")


@pytest.mark.parametrize("protocol", ADAPTERS)
@pytest.mark.parametrize("content_type", ["", "text/plain", SSE, "application/json", "text/html"])
def test_an_empty_body_is_an_error(protocol: str, content_type: str) -> None:
    found = decode(protocol, b"", content_type)

    assert found["status"] == "error"
    assert found["problem"].kind is Kind.CUT


@pytest.mark.parametrize("body", [b"{", b'{"choices": []}', b"5", b"[]", b'"a"'])
@pytest.mark.parametrize("protocol", ["openai", "anthropic"])
def test_json_without_an_answer_is_told(protocol: str, body: bytes) -> None:
    found = decode(protocol, body, "application/json")

    assert found["problem"].kind is Kind.PROTOCOL


def test_json_that_breaks_off_is_told_as_broken() -> None:
    assert decode("openai", b'{"choices"', "application/json", end=BROKEN)["problem"] == BROKEN


def test_json_has_a_limit() -> None:
    found = decode("openai", b" " * (bodies.MAX_JSON_BYTES + 1), "application/json")

    assert "larger than 8 MiB" in found["problem"].message


def test_anthropic_needs_no_event_lines() -> None:
    found = read(
        "anthropic",
        {"type": "content_block_start", "content_block": {"type": "text", "text": "a"}},
        {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "b"}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}},
    )

    assert (found["status"], found["text"], found["finish"]) == ("complete", "ab", "end_turn")


@pytest.mark.parametrize(
    "event",
    [
        {"type": "content_block_delta", "delta": None},
        {"type": "content_block_delta", "delta": {"type": "text_delta", "text": None}},
        {"type": "message_start", "message": 5},
        {"type": "message_delta", "delta": [], "usage": 7},
        {"type": "future"},
        [],
    ],
)
def test_an_anthropic_event_of_another_shape_is_skipped(event: object) -> None:
    assert read("anthropic", event, {"type": "message_stop"})["status"] == "complete"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "a"),
        ({"output": "a"}, "a"),
        ({"generated_text": "a", "other": 1}, "a"),
        ([{"generated_text": "a"}], "a"),
        ({"output": ["a", "b"]}, "ab"),
        ({"output": {"text": "a"}}, "a"),
        ({"choices": [{"message": {"content": "a"}}]}, "a"),
        ({"run_id": "r", "result": {"completion": "a"}}, "a"),
        ({"score": 1}, '{\n  "score": 1\n}'),
        (5, "5"),
    ],
)
@pytest.mark.parametrize("protocol", ["truss", "cerebrium"])
def test_a_returned_value_shows_its_text(protocol: str, value: object, text: str) -> None:
    found = decode(protocol, json.dumps(value).encode(), "application/json")

    assert (found["status"], found["text"]) == ("complete", text)


@pytest.mark.parametrize(
    "value",
    [
        {"error": "gone"},
        {"error": "gone", "other": 1},
        {"run_id": "r", "run_time_ms": 1, "result": {"error": "gone"}},
    ],
)
def test_a_returned_error_is_an_error(value: object) -> None:
    found = decode("cerebrium", json.dumps(value).encode(), "application/json")

    assert (found["status"], found["problem"].message) == ("error", "gone")


def test_an_event_with_only_an_error_is_an_error() -> None:
    found = decode("cerebrium", b'data: a\n\ndata: {"error": "gone", "status_code": 429}\n\n')

    assert (found["status"], found["text"], found["problem"].message) == ("error", "a", "gone")
    assert found["problem"].kind is Kind.RATE_LIMIT


@pytest.mark.parametrize(
    "token", ["{", '{"a": ', "null", "1e999", '{"error": null}', "{}", "[DONE] "]
)
def test_tokens_that_look_like_something_are_text(token: str) -> None:
    assert decode("cerebrium", f"data: {token}\n\n".encode())["text"] == token


def test_truss_text_is_text_until_it_is_a_page() -> None:
    assert decode("truss", b"<p>a", "text/plain")["text"] == "<p>a"
    assert decode("truss", b"<p>a", "text/html")["problem"].kind is Kind.PROTOCOL


def test_a_broken_code_point_at_the_end_is_replaced() -> None:
    assert decode("truss", "é".encode()[:1], "text/plain")["text"] == "\ufffd"


def sse(*values: object) -> bytes:
    return b"".join(b"data: " + json.dumps(value).encode() + b"\n\n" for value in values)


class Reader:
    """A body that is read piece by piece."""

    def __init__(self, protocol: str, api_key: str) -> None:
        self._decoder = ADAPTERS[protocol].decoder(Target(protocol, "", api_key=api_key), SSE)
        self.events: list[Any] = []

    def feed(self, body: bytes) -> list[Any]:
        """The events of this piece."""
        return self._kept(self._decoder.feed(body))

    def close(self, end: Problem | None) -> None:
        self._kept(self._decoder.close(end))

    def _kept(self, events: list[Any]) -> list[Any]:
        self.events += events
        return events


def said(field: str, text: str) -> bytes:
    """One delta of one kind of text."""
    return sse({"choices": [{"delta": {field: text}}]})


def read(protocol: str, *values: object) -> dict[str, Any]:
    return decode(protocol, sse(*values))


def decode(
    protocol: str,
    body: bytes,
    content_type: str = SSE,
    *,
    end: Problem | None = None,
    api_key: str = "",
) -> dict[str, Any]:
    decoder = ADAPTERS[protocol].decoder(Target(protocol, "", api_key=api_key), content_type)
    return outcome(decoder.feed(body) + decoder.close(end))
