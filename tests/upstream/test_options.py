"""Options are taken, or refused with a sentence that says what was expected."""

from typing import Any

import pytest

from chatapp.errors import InvalidInput
from chatapp.upstream.options import OPTIONS, check_options
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
        ("cerebrium", {"body": {"messages": "{messages}"}}),
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
        ("anthropic", {"anthropic_version": "a\nb"}, "a line of plain text"),
        ("truss", {"framing": "json"}, "one of text, sse"),
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
