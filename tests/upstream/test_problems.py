"""Errors of every vendor become one problem: its kind, the upstream's own words, no key."""

import json
import time
from datetime import UTC, datetime

import pytest

from chatapp.errors import Kind
from chatapp.upstream.problems import (
    MAX_MESSAGE_CHARS,
    clean,
    error_in,
    kind_of_status,
    problem_in_stream,
    problem_of_response,
    retry_after_s,
)

NOW = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("statuses", "kind"),
    [
        ((400, 405, 409, 413, 415, 418, 422, 424), Kind.BAD_REQUEST),
        ((401, 403), Kind.AUTH),
        ((402,), Kind.BILLING),
        ((404, 410), Kind.NOT_FOUND),
        ((408, 504), Kind.TIMEOUT),
        ((429,), Kind.RATE_LIMIT),
        ((503, 529), Kind.OVERLOADED),
        ((500, 501, 502, 599), Kind.SERVER),
        ((202, 204, 301, 307), Kind.PROTOCOL),
    ],
)
def test_a_status_has_a_kind(statuses: tuple[int, ...], kind: Kind) -> None:
    assert {kind_of_status(status) for status in statuses} == {kind}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"error": {"message": "m", "type": "t", "param": None, "code": "c"}}, "m"),
        ({"type": "error", "error": {"type": "t", "message": "m"}, "request_id": "r"}, "m"),
        ({"object": "error", "message": "m", "type": "t", "param": None, "code": 404}, "m"),
        ({"error": "m", "error_type": "t"}, "m"),
        ({"error": '{"error": {"message": "m"}}'}, "m"),
        ({"detail": "m"}, "m"),
        ({"detail": [{"loc": ["body", "a", 0], "msg": "m"}, {"msg": "n"}]}, "a.0: m; n"),
        ({"message": "m"}, "m"),
        ([{"error": {"code": 400, "message": "m"}}], "m"),
        ({"message": "Finished", "result": {"error": "m"}}, "m"),
        ({"error": None, "message": "m"}, "m"),
        ({"error": {"code": 5}}, "The endpoint answered 500 Internal Server Error."),
        ({}, "The endpoint answered 500 Internal Server Error."),
        ({"error": "<html><title>m</title>"}, "The endpoint answered with a web page (500): m"),
    ],
)
def test_the_upstreams_own_words_are_found(body: object, words: str) -> None:
    assert problem_of_response(500, {}, json.dumps(body).encode()).message == words


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "The endpoint answered 599."),
        (b" upstream request timeout\r\n", "upstream request timeout"),
        (b"\xff\0a\x1b[31m", "\ufffd\ufffda [31m"),
        (b"[" * 100_000, "[" * 999 + "…"),
        (
            b"<h1>Bad <b>Gateway</b></h1>",
            "The endpoint answered with a web page (599): Bad Gateway",
        ),
        (b"<html>", "The endpoint answered with a web page (599) instead of an answer."),
        (
            b"<title>&lt;script&gt;x&lt;/script&gt;</title>",
            "The endpoint answered with a web page (599): x",
        ),
    ],
)
def test_bodies_that_are_not_json_are_told_as_text(body: bytes, words: str) -> None:
    assert problem_of_response(599, {}, body).message == words


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"error": {"code": 429}}, Kind.RATE_LIMIT),
        ({"error": {"code": "401"}}, Kind.AUTH),
        ({"error": {"http_status_code": 503}}, Kind.OVERLOADED),
        ({"error": {"code": 5, "type": "overloaded_error"}}, Kind.OVERLOADED),
        ({"error": {"type": "invalid_request_error"}}, Kind.BAD_REQUEST),
        ({"error": {"type": "authentication_error"}}, Kind.AUTH),
        ({"error": {"type": "billing_error"}}, Kind.BILLING),
        ({"error": {"type": "permission_error"}}, Kind.AUTH),
        ({"error": {"type": "not_found_error"}}, Kind.NOT_FOUND),
        ({"error": {"type": "request_too_large"}}, Kind.BAD_REQUEST),
        ({"error": {"type": "rate_limit_error"}}, Kind.RATE_LIMIT),
        ({"error": {"type": "api_error"}}, Kind.SERVER),
        ({"error": {"type": "timeout_error"}}, Kind.TIMEOUT),
        ({"error": {"code": "insufficient_quota", "type": "x"}}, Kind.BILLING),
        ({"error": {"code": "context_length_exceeded"}}, Kind.BAD_REQUEST),
        ({"object": "error", "code": 404, "type": "NotFoundError"}, Kind.NOT_FOUND),
        ({"error": "words"}, Kind.SERVER),
        ("words", Kind.SERVER),
        ('{"code": 500, "type": "server_error"}', Kind.SERVER),
    ],
)
def test_an_error_in_the_stream_has_a_kind_of_its_own(error: object, kind: Kind) -> None:
    problem = problem_in_stream(error)

    assert problem.kind is kind
    assert problem.http_status is None


@pytest.mark.parametrize("value", [{"error": None, "choices": []}, {}, [], [1], "error", None, 5])
def test_what_is_no_error_is_not_taken_for_one(value: object) -> None:
    assert error_in(value) is None


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "Fri, 20 Nov 2026 12:00:30 GMT"}, 30),
        ({"retry-after": "Fri, 20 Nov 2026 11:00:00 GMT"}, 0),
        ({"retry-after-ms": "250", "retry-after": "1"}, 0.25),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
    ],
)
def test_retry_after_comes_in_three_shapes(headers: dict[str, str], expected: float | None) -> None:
    assert retry_after_s(headers, NOW) == expected


def test_the_key_is_removed_before_the_words_are_shortened() -> None:
    key = "sk-0123456789abcdef"
    words = "x" * (MAX_MESSAGE_CHARS - 8) + key

    told = clean(words, key)

    assert len(told) <= MAX_MESSAGE_CHARS
    assert "sk-" not in told


def test_a_hostile_page_takes_no_time() -> None:
    started = time.process_time()

    problem_of_response(500, {}, b"<h1>" * 16_000)
    problem_in_stream({"error": "<h1>" * 250_000})

    assert time.process_time() - started < 2


def test_a_request_id_is_kept_from_header_or_body() -> None:
    by_header = problem_of_response(500, {"request-id": "r-1"}, b'{"request_id": "r-2"}')
    by_body = problem_of_response(500, {}, b'{"run_id": "r-3"}')

    assert (by_header.request_id, by_body.request_id) == ("r-1", "r-3")
