"""Anthropic-compatible messages: a conversation in → the events of one message's life out.

Source: https://docs.anthropic.com/en/api/messages-streaming and, for `output_config`,
https://platform.claude.com/docs/en/build-with-claude/effort; Baseten's and LiteLLM's routes of the
same shape (2026-10).
"""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from chatapp.upstream.answer import Answer
from chatapp.upstream.bodies import decoder_for, parse_json
from chatapp.upstream.contract import Adapter, Decoder, Image, Prompt, Request, Target
from chatapp.upstream.openai import DONE
from chatapp.upstream.parameters import fitted
from chatapp.upstream.problems import error_in
from chatapp.upstream.requests import (
    BEARER,
    auth_headers,
    base64_of,
    chat_messages,
    chosen,
    is_host_of,
    joined_url,
    json_request,
    max_tokens,
)
from chatapp.upstream.sse import ServerSentEvent

_AUTH = {"x-api-key": ("x-api-key", ""), "bearer": BEARER}
_VERSION = "2023-06-01"
_MAX_TOKENS = 4096


class Anthropic(Adapter):
    """`POST {base}/v1/messages`."""

    end_is_marker = False

    def request(self, prompt: Prompt, target: Target) -> Request:
        default = "bearer" if is_host_of(target, "baseten.co") else "x-api-key"
        headers = auth_headers(target, _AUTH, default) | {
            "accept": "text/event-stream",
            "anthropic-version": target.options.get("anthropic_version", _VERSION),
        }
        url = joined_url(target, "/v1/messages", shared="/v1")
        return json_request(target, url, headers, self._body(fitted(self, prompt, target), target))

    def _body(self, prompt: Prompt, target: Target) -> dict[str, Any]:
        messages = chat_messages(prompt, with_system=False, image_part=_image_block)
        # The first message has to be the user's.
        while messages and messages[0]["role"] == "assistant":
            messages.pop(0)
        body: dict[str, Any] = {
            "model": target.model,
            "max_tokens": max_tokens(prompt, target, _MAX_TOKENS),
            "messages": messages,
            "stream": True,
        }
        # The system prompt is top-level, never a message.
        if prompt.system.strip():
            body["system"] = prompt.system
        return body | self._parameters(prompt)

    def _parameters(self, prompt: Prompt) -> dict[str, Any]:
        parameters = chosen(prompt, "temperature", "top_p")
        if stop := prompt.parameters.get("stop"):
            parameters["stop_sequences"] = stop
        # Effort has been part of the stable version since 2026-02: no beta header.
        if effort := prompt.parameters.get("reasoning_effort"):
            parameters["output_config"] = {"effort": effort}
        return parameters

    def decoder(self, target: Target, content_type: str) -> Decoder:
        return decoder_for(self, target, content_type)

    def read_event(self, answer: Answer, event: ServerSentEvent) -> None:
        data = event.data
        # There is no [DONE] here; some gateways send one all the same.
        if not data or data.isspace() or data == DONE:
            return
        if event.name == "error":
            answer.fail_with(data)
            return
        value = parse_json(answer, data)
        if error_in(value) is not None:
            answer.fail_with(value)
        elif isinstance(value, dict):
            _read_event(answer, value)

    def read_value(self, answer: Answer, value: object) -> None:
        if error_in(value) is not None:
            answer.fail_with(value)
        elif isinstance(value, dict) and isinstance(value.get("content"), list):
            for block in value["content"]:
                _read_block(answer, block)
            _read_usage(answer, value)
            answer.finish(value.get("stop_reason"))
        else:
            answer.reject(_("The endpoint's JSON holds no message."))


def _image_block(image: Image) -> dict[str, Any]:
    """https://docs.anthropic.com/en/docs/build-with-claude/vision (2026-10)."""
    source = {"type": "base64", "media_type": image.media_type, "data": base64_of(image)}
    return {"type": "image", "source": source}


def _read_event(answer: Answer, event: Mapping[str, Any]) -> None:
    """The JSON's own type decides: gateways leave out the event line. Unknown ones are skipped."""
    match event.get("type"):
        case "content_block_delta":
            _read_block(answer, event.get("delta"))
        case "content_block_start":
            _read_block(answer, event.get("content_block"))
        case "message_start":
            _read_usage(answer, event.get("message"))
        case "message_delta":
            _read_usage(answer, event)
            delta = event.get("delta")
            answer.finish(delta.get("stop_reason") if isinstance(delta, dict) else None)
        case "message_stop":
            answer.complete()


def _read_block(answer: Answer, block: object) -> None:
    """A block or a piece of one; tools, signatures and citations show nothing."""
    if not isinstance(block, dict):
        return
    kind = block.get("type")
    if kind in ("text_delta", "text"):
        answer.say(_string(block.get("text")))
    elif kind in ("thinking_delta", "thinking"):
        answer.reason(_string(block.get("thinking")))


def _read_usage(answer: Answer, holder: object) -> None:
    """Usage is cumulative: a later number replaces the earlier one."""
    usage = holder.get("usage") if isinstance(holder, dict) else None
    if isinstance(usage, dict):
        answer.count(usage.get("input_tokens"), usage.get("output_tokens"))


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""
