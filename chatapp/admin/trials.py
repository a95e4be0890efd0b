"""A target → a page that grows while the target is tried out, as one HTML document that streams.

It needs no script: a browser shows what has come so far. Closing the page ends the trial.
"""

import secrets
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from django.http import HttpRequest, StreamingHttpResponse
from django.template.loader import render_to_string

from chatapp.generation.calls import SHORT
from chatapp.upstream.contract import Target
from chatapp.upstream.trial import Ended, Fact, try_out

_FACT = "admin/chatapp/endpoint/_fact.html"
_RESULT = "admin/chatapp/endpoint/_result.html"


def trial_page(
    request: HttpRequest, template: str, context: dict[str, Any], target: Target
) -> StreamingHttpResponse:
    """The template with the facts, and the result, where it has its two marks."""
    mark = secrets.token_hex()
    asked = SHORT.turns[0].text
    page = render_to_string(template, {**context, "asked": asked, "mark": mark}, request)
    # A proxy that collects the page would show it when all is over.
    return StreamingHttpResponse(
        _told(page.split(mark), target), headers={"X-Accel-Buffering": "no"}
    )


async def _told(page: list[str], target: Target) -> AsyncGenerator[str, None]:
    before, between, after = page
    yield before
    async with aclosing(try_out(target, SHORT)) as facts:
        async for fact in facts:
            yield between + _html(_RESULT, fact) if isinstance(fact, Ended) else _html(_FACT, fact)
    yield after


def _html(template: str, fact: Fact) -> str:
    return render_to_string(template, {"fact": fact, "kind": type(fact).__name__})
