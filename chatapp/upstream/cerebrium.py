"""Cerebrium functions: parameters by name in → one event for each item that is yielded out.

Source: https://docs.cerebrium.ai/cerebrium/endpoints/streaming (2026-10).
"""

from collections.abc import Set

from chatapp.upstream.bodies import decoder_for
from chatapp.upstream.contract import Adapter, Decoder, Prompt, Request, Target
from chatapp.upstream.loose import LooseReader
from chatapp.upstream.parameters import fitted
from chatapp.upstream.requests import (
    BEARER,
    auth_headers,
    endpoint_url,
    filled_body,
    json_request,
    max_tokens,
    parameters_in,
)

_AUTH = {"bearer": BEARER}
# A function fails on names that it does not know, so the default sends only the usual one.
_BODY = {"prompt": "{prompt}"}


class Cerebrium(LooseReader, Adapter):
    """`POST` to the whole URL of a function."""

    def request(self, prompt: Prompt, target: Target) -> Request:
        headers = auth_headers(target, _AUTH, "bearer") | {"accept": "text/event-stream"}
        prompt = fitted(self, prompt, target)
        template = target.options.get("body", _BODY)
        body = filled_body(template, prompt, target, max_tokens(prompt, target))
        return json_request(target, endpoint_url(target).geturl(), headers, body)

    def carries(self, target: Target) -> Set[str]:
        return parameters_in(target.options.get("body", _BODY))

    def decoder(self, target: Target, content_type: str) -> Decoder:
        return decoder_for(self, target, content_type)
