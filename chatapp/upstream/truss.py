"""Baseten Truss predict: a body after the model's own wishes in → raw text as it comes out.

Source: https://docs.baseten.co/inference/streaming and the Truss server 0.18 (2026-10).
"""

from collections.abc import Set

from chatapp.upstream.answer import Answer
from chatapp.upstream.bodies import (
    EventStreamDecoder,
    TextDecoder,
    decoder_for,
    is_json,
    media_type_of,
)
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

_AUTH = {"api-key": ("authorization", "Api-Key "), "bearer": BEARER}
_MAX_TOKENS = 4096
_BODY = {
    "prompt": "{prompt}",
    "stream": True,
    "max_new_tokens": "{max_tokens}",
    "temperature": "{temperature}",
    "top_p": "{top_p}",
}


class Truss(LooseReader, Adapter):
    """`POST` to the whole URL of a deployment, whose last part is `predict`."""

    def request(self, prompt: Prompt, target: Target) -> Request:
        # Not application/json: the server would collect the whole answer before sending any.
        headers = auth_headers(target, _AUTH, "api-key") | {"accept": "*/*"}
        prompt = fitted(self, prompt, target)
        tokens = max_tokens(prompt, target, _MAX_TOKENS)
        body = filled_body(target.options.get("body", _BODY), prompt, target, tokens)
        return json_request(target, endpoint_url(target).geturl(), headers, body)

    def carries(self, target: Target) -> Set[str]:
        return parameters_in(target.options.get("body", _BODY))

    def decoder(self, target: Target, content_type: str) -> Decoder:
        # Text and events come as octet-stream alike: only the setting can tell them apart.
        media_type = media_type_of(content_type)
        if is_json(media_type) or media_type in ("text/event-stream", "text/html"):
            return decoder_for(self, target, content_type)
        answer = Answer(target.api_key)
        if target.options.get("framing") == "sse":
            return EventStreamDecoder(self, answer)
        return TextDecoder(answer)
