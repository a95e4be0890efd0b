"""Options are taken, or refused with a sentence that says what was expected."""

from typing import Any

import pytest

from chatapp.errors import InvalidInput
from chatapp.upstream.options import OPTIONS, check_options, takes_images
from chatapp.upstream.protocols import ADAPTERS


def test_every_protocol_has_an_adapter_and_options() -> None:
    assert OPTIONS.keys() == ADAPTERS.keys()


@pytest.mark.parametrize(
    ("protocol", "options"),
    [
        ("openai", {}),
        ("openai", {"auth": "none", "max_tokens": 1, "stream_options": False}),
        ("openai", {"headers": {"X-Title": "chat"}, "max_tokens_field": "max_completion_tokens"}),
        ("anthropic", {"anthropic_version": "2023-06-01", "auth": "bearer"}),
        ("truss", {"framing": "sse", "body": {"prompt": "{prompt}", "a": [1, None, "{x} y"]}}),
        ("cerebrium", {"body": {"messages": "{messages}", "effort": "{reasoning_effort}"}}),
        ("anthropic", {"images": True}),
        ("truss", {"images": True, "body": {"input": {"messages": "{messages}"}}}),
        ("truss", {"images": False}),
        ("openai", {"limits": {"temperature": [0, 1.5], "top_p": [0.1, 1], "max_tokens": [1, 9]}}),
        ("anthropic", {"limits": {}, "reasoning_efforts": ["low", "x-high"]}),
    ],
)
def test_options_that_fit_are_taken(protocol: str, options: dict[str, Any]) -> None:
    check_options(protocol, options)


@pytest.mark.parametrize(
    ("protocol", "options", "sentence"),
    [
        ("smtp", {}, "The protocol has to be one of openai, anthropic, truss, cerebrium"),
        ("openai", {"framing": "sse"}, 'The protocol openai has no option "framing"; it has auth,'),
        ("openai", {"auth": "basic"}, '"auth" has to be one of bearer, api-key, x-api-key, none'),
        ("openai", {"max_tokens": "7"}, '"max_tokens" has to be a whole number of at least 1'),
        ("openai", {"max_tokens": True}, "a whole number"),
        ("openai", {"max_tokens": 0}, "a whole number"),
        ("openai", {"stream_options": "no"}, "true or false"),
        ("openai", {"headers": {"Authorization": "x"}}, "without accept,"),
        ("openai", {"headers": {"a b": "x"}}, "header names"),
        ("openai", {"headers": {"x": "a\r\nb: c"}}, "header names"),
        ("openai", {"headers": {"x": 1}}, "header names"),
        ("openai", {"headers": "x: y"}, "an object"),
        ("openai", {"images": "yes"}, '"images" has to be true or false'),
        ("truss", {"images": True}, 'needs a "body" that has "{messages}" as a value'),
        ("cerebrium", {"images": True, "body": {"a": "x {messages}"}}, 'needs a "body"'),
        ("anthropic", {"anthropic_version": "a\nb"}, "a line of plain text"),
        ("truss", {"framing": "json"}, "one of text, sse"),
        ("openai", {"limits": [0, 1]}, '"limits" has to be an object such as {"temperature": [0'),
        ("openai", {"limits": {"heat": [0, 1]}}, "temperature (0 to 2), top_p (0 to 1)"),
        ("openai", {"limits": {"temperature": 1}}, "the lowest and highest"),
        ("openai", {"limits": {"temperature": [1, 0]}}, "the lowest and highest"),
        ("openai", {"limits": {"temperature": [0, 3]}}, "the lowest and highest"),
        ("openai", {"limits": {"temperature": [False, True]}}, "the lowest and highest"),
        ("openai", {"limits": {"temperature": [float("nan"), 1]}}, "numbers like NaN"),
        ("truss", {"body": {"a": "\ud800"}}, "half a surrogate pair"),
        ("openai", {"limits": {"max_tokens": [0.5, 9]}}, "max_tokens (1 to 1,000,000)"),
        ("openai", {"reasoning_efforts": "low"}, 'such as ["low", "medium", "high"]'),
        ("openai", {"reasoning_efforts": ["a b"]}, "a list of words"),
        ("openai", {"reasoning_efforts": [1]}, "a list of words"),
        ("truss", {"body": "{prompt}"}, "a JSON object"),
        ("truss", {"body": {"a": "\0{prompt}"}}, "U+0000"),
        ("truss", {"body": {"a": {"b": ["{promt}"]}}}, "its placeholders are {prompt}, {system}"),
    ],
)
def test_options_that_do_not_fit_are_refused_in_words(
    protocol: str, options: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_options(protocol, options)

    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    ("protocol", "options", "takes"),
    [
        ("openai", {"images": True}, True),
        ("openai", {"images": "true"}, False),
        ("anthropic", {}, False),
        ("truss", {"images": True, "body": {"a": "{prompt}"}}, False),
        ("cerebrium", {"images": True, "body": {"a": ["{messages}"]}}, True),
    ],
)
def test_images_go_where_the_option_and_the_body_allow(
    protocol: str, options: dict[str, Any], takes: bool
) -> None:
    assert takes_images(protocol, options) is takes
