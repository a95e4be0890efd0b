"""What an upstream says when it fails, in any vendor's shape, in → one `Problem` out.

Shapes: OpenAI, Anthropic, vLLM, SGLang, TGI, llama.cpp, LiteLLM, OpenRouter, Baseten, Cerebrium,
FastAPI, Envoy and nginx, as their documentation and public sources show them (2026-10).
"""

import html
import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

from django.utils.translation import gettext as _

from chatapp.errors import Kind, Problem
from chatapp.upstream.redaction import without_key
from chatapp.upstream.text import well_formed

MAX_MESSAGE_CHARS = 1000

_MAX_NESTING = 6
# A page of nothing but opened titles costs the square of this.
_MAX_HEAD_CHARS = 8192
_REQUEST_ID_HEADERS = ("x-request-id", "request-id", "x-generation-id")

_KINDS_BY_STATUS = {
    400: Kind.BAD_REQUEST,
    401: Kind.AUTH,
    402: Kind.BILLING,
    403: Kind.AUTH,
    404: Kind.NOT_FOUND,
    408: Kind.TIMEOUT,
    410: Kind.NOT_FOUND,
    429: Kind.RATE_LIMIT,
    503: Kind.OVERLOADED,
    504: Kind.TIMEOUT,
    529: Kind.OVERLOADED,
}

# The first that stands in an error's code or type; "permission" before "request", and so on.
_KINDS_BY_WORD = (
    ("quota", Kind.BILLING),
    ("billing", Kind.BILLING),
    ("credit", Kind.BILLING),
    ("rate_limit", Kind.RATE_LIMIT),
    ("ratelimit", Kind.RATE_LIMIT),
    ("api_key", Kind.AUTH),
    ("auth", Kind.AUTH),
    ("permission", Kind.AUTH),
    ("overload", Kind.OVERLOADED),
    ("unavailable", Kind.OVERLOADED),
    ("timeout", Kind.TIMEOUT),
    ("not_found", Kind.NOT_FOUND),
    ("notfound", Kind.NOT_FOUND),
    ("request", Kind.BAD_REQUEST),
    ("context", Kind.BAD_REQUEST),
    ("validation", Kind.BAD_REQUEST),
)

_MARKUP = re.compile(r"\s*<[!?/a-zA-Z]")
_TITLE = re.compile(r"<(title|h1)\b[^>]*>(.*?)</\1", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^>]*>?")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def kind_of_status(status: int) -> Kind:
    """The kind of failure that a status other than 200 means."""
    if status in _KINDS_BY_STATUS:
        return _KINDS_BY_STATUS[status]
    if status >= 500:
        return Kind.SERVER
    return Kind.BAD_REQUEST if status >= 400 else Kind.PROTOCOL


def problem_of_response(
    status: int, headers: Mapping[str, str], body: bytes, api_key: str = ""
) -> Problem:
    """The problem that a response other than 200 reports; `headers` ignore case."""
    payload = _parsed(body.decode("utf-8", "replace"))
    if 200 <= status < 400:
        message = _no_answer(status, headers.get("location", ""))
    else:
        message = _message(payload, status)
    return Problem(
        kind=kind_of_status(status),
        message=clean(message, api_key),
        http_status=status,
        retry_after_s=retry_after_s(headers),
        request_id=request_id(headers, api_key) or _request_id_in(payload, api_key),
    )


def problem_in_stream(error: object, api_key: str = "") -> Problem:
    """The problem that an error within a 200 reports: what `error_in` found, or an event's data."""
    error = _parsed(error) if isinstance(error, str) else error
    return Problem(
        kind=_kind_in(error),
        message=clean(_message(error, None), api_key),
        request_id=_request_id_in(error, api_key),
    )


def protocol_problem(message: str, api_key: str = "") -> Problem:
    """A 200 that makes no sense, in our own words, which may quote it."""
    return Problem(Kind.PROTOCOL, clean(message, api_key))


def page_message(page: str, status: int | None) -> str:
    """A log-in page, a portal, a load balancer: the title without any markup."""
    match = _TITLE.search(page[:_MAX_HEAD_CHARS])
    title = html.unescape(_TAG.sub(" ", match[2])) if match else ""
    title = " ".join(_TAG.sub(" ", title).split())
    page_of = f" ({status})" if status else ""
    if not title:
        return _("The endpoint answered with a web page%(status)s instead of an answer.") % {
            "status": page_of
        }
    sentence = _("The endpoint answered with a web page%(status)s: %(title)s")
    return sentence % {"status": page_of, "title": title}


def error_in(payload: object) -> object:
    """The error that a JSON value of a 200 holds, or None. `"error": null` is none."""
    if isinstance(payload, list):
        return next((found for found in map(error_in, payload) if found is not None), None)
    if not isinstance(payload, dict):
        return None
    if payload.get("error") is not None:
        return payload
    is_flat = payload.get("object") == "error" or payload.get("type") == "error"
    return payload if is_flat else None


def request_id(headers: Mapping[str, str], api_key: str = "") -> str | None:
    """The upstream's name for this call, for its support."""
    found = next((headers[name] for name in _REQUEST_ID_HEADERS if headers.get(name)), None)
    return found and clean(found, api_key)[:200]


def retry_after_s(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Seconds until a further try is welcome: `retry-after-ms`, or Retry-After as number or date.

    Source: RFC 9110, 10.2.3 (2022-06); fractions and milliseconds are OpenAI's and Azure's.
    """
    milliseconds = _number(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return milliseconds / 1000
    value = headers.get("retry-after", "")
    seconds = _number(value)
    return seconds if seconds is not None else _seconds_until(value, now or datetime.now(UTC))


def phrase_of(status: int) -> str:
    """`404 Not Found`."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def clean(message: str, api_key: str = "") -> str:
    """`message` as short plain text without the key."""
    message = without_key(message, api_key)
    message = _CONTROL.sub(" ", well_formed(message.strip()[: MAX_MESSAGE_CHARS + 1]))
    if len(message) > MAX_MESSAGE_CHARS:
        return message[: MAX_MESSAGE_CHARS - 1] + "…"
    return message


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _no_answer(status: int, location: str) -> str:
    if location:
        sentence = _(
            "The endpoint redirects (%(status)s) to %(location)s; redirects are not followed."
        )
        return sentence % {"status": status, "location": location[:200]}
    if status == HTTPStatus.ACCEPTED:
        return _("The endpoint took the request (202) but answers later, not in this response.")
    sentence = _("The endpoint sent %(status)s instead of an answer.")
    return sentence % {"status": phrase_of(status)}


def _message(payload: object, status: int | None) -> str:
    words = _words(payload, _MAX_NESTING)
    if _MARKUP.match(words):
        return page_message(words, status)
    if words:
        return words
    if status is None:
        return _("The endpoint reported an error without saying which.")
    return _("The endpoint answered %(status)s.") % {"status": phrase_of(status)}


def _words(value: object, depth: int) -> str:
    """The upstream's own words in `value`, "" if there are none."""
    if depth == 0:
        return ""
    if isinstance(value, str):
        inner = _parsed(value)
        return _words(inner, depth - 1) if isinstance(inner, dict | list) else value.strip()
    if isinstance(value, list):
        return "; ".join(filter(None, (_words(item, depth - 1) for item in value[:10])))
    if not isinstance(value, dict):
        return ""
    if isinstance(value.get("msg"), str):
        return _validation_words(value)
    # Cerebrium: the outer message only says that the run is over, its `result` says how.
    keys = ("error", "detail", "result", "message", "title", "description")
    return next(filter(None, (_words(value.get(key), depth - 1) for key in keys)), "")


def _validation_words(item: Mapping[str, Any]) -> str:
    """FastAPI: `{"loc": ["body", "messages"], "msg": "Field required"}`."""
    location = item.get("loc")
    path = [str(part) for part in location if part != "body"] if isinstance(location, list) else []
    return ": ".join(filter(None, (".".join(path), item["msg"])))


def _kind_in(error: object) -> Kind:
    """A number in `code` decides, else the words of `code` and `type`, else it is the server."""
    inner = error.get("error") if isinstance(error, dict) else None
    details = inner if isinstance(inner, dict) else error
    if not isinstance(details, dict):
        return Kind.SERVER
    for name in ("code", "http_status_code", "status_code"):
        status = _number(str(details.get(name)))
        if status is not None and 400 <= status < 600:
            return kind_of_status(int(status))
    words = f"{details.get('code')} {details.get('type')} {details.get('error_type')}".lower()
    return next((kind for word, kind in _KINDS_BY_WORD if word in words), Kind.SERVER)


def _request_id_in(payload: object, api_key: str) -> str | None:
    if not isinstance(payload, dict):
        return None
    found = payload.get("request_id") or payload.get("run_id")
    return clean(found, api_key)[:200] if isinstance(found, str) else None


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None


def _seconds_until(date: str, now: datetime) -> float | None:
    try:
        moment = parsedate_to_datetime(date)
    except (ValueError, TypeError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())
