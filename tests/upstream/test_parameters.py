"""Whatever a conversation wishes for, a request carries only what its target takes."""

import json
from typing import Any

import pytest

from chatapp.upstream.contract import Prompt, Target
from chatapp.upstream.parameters import sendable
from chatapp.upstream.protocols import ADAPTERS
from tests.upstream.asking import PROMPT

EVERYTHING = {
    "temperature": 1.9,
    "top_p": 0.5,
    "max_tokens": 9_000,
    "stop": ["END"],
    "reasoning_effort": "high",
}
LIMITS = {"temperature": [0, 0.8], "top_p": [0.7, 1], "max_tokens": [16, 500]}
TEMPLATE = {name: f"{{{name}}}" for name in ("prompt", *EVERYTHING)}


def sent(protocol: str, wishes: dict[str, Any], **options: Any) -> dict[str, Any]:
    target = Target(protocol, "https://x.test", model="m", options=options)
    request = ADAPTERS[protocol].request(Prompt(PROMPT.turns, parameters=wishes), target)
    body: dict[str, Any] = json.loads(request.body)
    return body


def allowed(protocol: str, wishes: dict[str, Any], **options: Any) -> dict[str, Any]:
    target = Target(protocol, "https://x.test", model="m", options=options)
    return sendable(ADAPTERS[protocol], wishes, target)


@pytest.mark.parametrize("protocol", ["openai", "truss", "cerebrium"])
def test_numbers_are_brought_within_the_endpoints_limits(protocol: str) -> None:
    options = {} if protocol == "openai" else {"body": TEMPLATE}

    body = sent(protocol, EVERYTHING, limits=LIMITS, **options)

    expected = {"temperature": 0.8, "top_p": 0.7, "max_tokens": 500, "stop": ["END"]}
    assert body.items() >= expected.items()


def test_numbers_are_brought_within_limits_for_anthropic_too() -> None:
    limits = {"temperature": [0, 1.5], "max_tokens": [1, 500]}

    body = sent("anthropic", EVERYTHING, limits=limits)

    assert (body["temperature"], body["top_p"], body["max_tokens"]) == (1, 0.5, 500)


def test_limits_do_not_invent_what_nobody_wished_for() -> None:
    assert "temperature" not in sent("openai", {}, limits=LIMITS)


def test_an_effort_goes_in_each_protocols_own_form() -> None:
    wish, known = {"reasoning_effort": "high"}, ["low", "high"]

    assert sent("openai", wish, reasoning_efforts=known)["reasoning_effort"] == "high"
    anthropic = sent("anthropic", wish, reasoning_efforts=known)
    assert anthropic["output_config"] == {"effort": "high"}
    assert "reasoning_effort" not in anthropic
    for protocol in ("truss", "cerebrium"):
        body = sent(protocol, wish, reasoning_efforts=known, body=TEMPLATE)
        assert body["reasoning_effort"] == "high"
        assert "reasoning_effort" not in sent(protocol, wish, reasoning_efforts=known)


@pytest.mark.parametrize("protocol", ADAPTERS)
def test_an_effort_that_the_endpoint_does_not_know_is_not_sent(protocol: str) -> None:
    body = sent(protocol, {"reasoning_effort": "high"}, reasoning_efforts=["low"])

    assert not {"reasoning_effort", "output_config"} & body.keys()


def test_what_a_template_has_no_place_for_counts_as_not_sent() -> None:
    assert allowed("cerebrium", EVERYTHING) == {}
    assert allowed("truss", EVERYTHING).keys() == {"temperature", "top_p", "max_tokens"}


@pytest.mark.parametrize(
    "wishes",
    [
        {"temperature": "0.5"},
        {"temperature": True},
        {"temperature": float("nan")},
        {"max_tokens": float("inf")},
        {"stop": "END"},
        {"stop": [1, ""]},
        {"reasoning_effort": ["low"]},
        {"reasoning_effort": {"low": 1}},
        {"tools": []},
    ],
)
def test_what_makes_no_sense_is_left_out(wishes: dict[str, Any]) -> None:
    assert allowed("openai", wishes, reasoning_efforts=["low"]) == {}


def test_tokens_are_whole_and_stops_are_few() -> None:
    found = allowed("openai", {"max_tokens": 7.9, "stop": list("abcdef")})

    assert found == {"max_tokens": 7, "stop": ["a", "b", "c", "d"]}
