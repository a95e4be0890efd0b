"""OpenAI-compatible chat completions: a conversation in → chunks of `choices[0].delta` out.

Source: https://platform.openai.com/docs/api-reference/chat-streaming and, for what differs, the
public sources of vLLM, SGLang, TGI, llama.cpp, Ollama, LiteLLM, DeepSeek, Mistral, OpenRouter and
Azure (2026-10).
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _

from chatapp.errors import Problem
from chatapp.events import ReasoningDelta, RefusalDelta, TextDelta
from chatapp.upstream.answer import Answer
from chatapp.upstream.bodies import decoder_for, parse_json
from chatapp.upstream.contract import Adapter, Decoder, Prompt, Request, Target
from chatapp.upstream.parameters import fitted
from chatapp.upstream.problems import error_in
from chatapp.upstream.requests import (
    BEARER,
    auth_headers,
    chat_messages,
    chosen,
    is_host_of,
    joined_url,
    json_request,
    max_tokens,
)
from chatapp.upstream.sse import ServerSentEvent

DONE = "[DONE]"

_AUTH = {"bearer": BEARER, "api-key": ("api-key", ""), "x-api-key": ("x-api-key", "")}


class OpenAI(Adapter):
    """`POST {base}/chat/completions`."""

    end_is_marker = False

    def request(self, prompt: Prompt, target: Target) -> Request:
        default = "api-key" if is_host_of(target, "openai.azure.com") else "bearer"
        headers = auth_headers(target, _AUTH, default) | {"accept": "text/event-stream"}
        url = joined_url(target, "/chat/completions")
        return json_request(target, url, headers, self._body(fitted(self, prompt, target), target))

    def _body(self, prompt: Prompt, target: Target) -> dict[str, Any]:
        body = {"model": target.model, "messages": chat_messages(prompt), "stream": True}
        if target.options.get("stream_options", True):
            body["stream_options"] = {"include_usage": True}
        if tokens := max_tokens(prompt, target):
            body[target.options.get("max_tokens_field", "max_tokens")] = tokens
        return body | chosen(prompt, "temperature", "top_p", "stop", "reasoning_effort")

    def concede(self, target: Target, problem: Problem) -> Target | None:
        """Older servers refuse `stream_options`; reasoning models name `max_completion_tokens`."""
        options = dict(target.options)
        if "stream_options" in problem.message and options.get("stream_options", True):
            options["stream_options"] = False
        elif "max_completion_tokens" in problem.message and "max_tokens_field" not in options:
            options["max_tokens_field"] = "max_completion_tokens"
        else:
            return None
        return replace(target, options=options)

    def decoder(self, target: Target, content_type: str) -> Decoder:
        return decoder_for(self, target, content_type)

    def read_event(self, answer: Answer, event: ServerSentEvent) -> None:
        data = event.data
        if data == DONE:
            answer.complete()
        elif event.name == "error":
            answer.fail_with(data)
        elif data and not data.isspace():
            value = parse_json(answer, data)
            if type(value) is dict:
                read_chunk(answer, value)
            if (error := error_in(value)) is not None:
                answer.fail_with(error)

    def read_value(self, answer: Answer, value: object) -> None:
        has_choice = isinstance(value, dict) and read_chunk(answer, value)
        if (error := error_in(value)) is not None:
            answer.fail_with(error)
        elif not has_choice:
            answer.reject(_("The endpoint's JSON holds no answer."))


def read_chunk(answer: Answer, chunk: Mapping[str, Any]) -> bool:
    """One chunk or whole completion: usage, then the first choice. Whether there was a choice."""
    if usage := chunk.get("usage"):
        _read_usage(answer, usage)
    choice = _first_choice(chunk.get("choices"))
    if choice is None:
        return False
    if delta := choice.get("delta"):
        _read_delta(answer, delta)
        answer.is_in_deltas = answer.is_in_deltas or answer.has_text
    else:
        # Some servers put `message` or `text` where `delta` belongs; others say all again there.
        _read_delta(answer, choice.get("message") or choice, is_repeat=answer.is_in_deltas)
    answer.finish(choice.get("finish_reason"))
    return True


def _first_choice(choices: object) -> dict[str, Any] | None:
    """With n > 1 choices come mixed: the one with index 0; a missing index is 0."""
    if not isinstance(choices, list):
        return None
    for choice in choices:
        if isinstance(choice, dict) and not choice.get("index"):
            return choice
    return None


def _read_delta(answer: Answer, delta: object, *, is_repeat: bool = False) -> None:
    """Of a repeat only what was not said before."""
    if not isinstance(delta, dict):
        return
    # With both names the text is the same: one is enough.
    reasoning = delta.get("reasoning_content") or delta.get("reasoning")
    if isinstance(reasoning, str) and not (is_repeat and answer.has(ReasoningDelta)):
        answer.reason(reasoning)
    content = delta.get("content") or delta.get("text")
    if is_repeat and answer.has(TextDelta):
        content = None
    if isinstance(content, str):
        answer.say(content)
    elif isinstance(content, list):
        _read_parts(answer, content)
    refusal = delta.get("refusal")
    if isinstance(refusal, str) and not (is_repeat and answer.has(RefusalDelta)):
        answer.refuse(refusal)


def _read_parts(answer: Answer, parts: list[Any]) -> None:
    """Mistral's reasoning models send content as a list of typed parts."""
    for part in parts:
        kind = part.get("type") if isinstance(part, dict) else None
        if kind == "text":
            answer.say(_part_text(part.get("text")))
        elif kind == "thinking":
            answer.reason(_part_text(part.get("thinking")))


def _part_text(value: object) -> str:
    if isinstance(value, list):
        return "".join(_part_text(part.get("text")) for part in value if isinstance(part, dict))
    return value if isinstance(value, str) else ""


def _read_usage(answer: Answer, usage: object) -> None:
    if isinstance(usage, dict):
        answer.count(usage.get("prompt_tokens"), usage.get("completion_tokens"))
