"""What the adapters send, for the recorded conversation and for options."""

import json
from typing import Any

import pytest

from chatapp.errors import UpstreamError
from chatapp.upstream.contract import Image, Prompt, Request, Target, Turn
from chatapp.upstream.protocols import ADAPTERS
from tests.upstream.asking import PROMPT
from tests.upstream.replay import FIXTURES

RECORDED = json.loads((FIXTURES / "requests.json").read_text(encoding="utf-8"))
CASES = {case["name"]: case for case in RECORDED["cases"]}


@pytest.mark.parametrize("name", CASES)
def test_a_request_is_as_recorded(name: str) -> None:
    case = CASES[name]
    target = Target(case["protocol"], case["base"], model="MODEL", api_key="KEY")

    request = ADAPTERS[target.protocol].request(prompt_of(case), target)

    body = json.loads(request.body)
    assert (request.method, request.url) == ("POST", case["url"])
    assert request.headers.items() >= case["headers"].items()
    assert not request.headers.items() & case.get("headers_not", {}).items()
    for key, value in case["body"].items():
        assert isinstance(body[key], int) if value == "INTEGER" else body[key] == value
    assert_in_order(case.get("prompt_contains_in_order", []), body.get("prompt", ""))


@pytest.mark.parametrize("case", RECORDED["urls"], ids=lambda case: case["given"])
def test_a_url_is_joined_as_recorded(case: dict[str, str]) -> None:
    assert request(case["protocol"], url=case["given"]).url == case["url"]


def test_a_query_stays_behind_the_joined_path() -> None:
    url = "https://x.openai.azure.com/openai/deployments/d?api-version=2024-10-21"

    joined = "https://x.openai.azure.com/openai/deployments/d/chat/completions"
    assert request("openai", url=url).url == f"{joined}?api-version=2024-10-21"


@pytest.mark.parametrize(
    ("protocol", "url", "options", "expected"),
    [
        ("openai", "https://x.test", {}, {"authorization": "Bearer KEY"}),
        ("openai", "https://x.test", {"auth": "api-key"}, {"api-key": "KEY"}),
        ("openai", "https://x.openai.azure.com", {}, {"api-key": "KEY"}),
        ("openai", "https://x.test", {"auth": "none"}, {}),
        ("anthropic", "https://x.test", {}, {"x-api-key": "KEY"}),
        ("anthropic", "https://x.test", {"auth": "bearer"}, {"authorization": "Bearer KEY"}),
        ("anthropic", "https://notbaseten.co", {}, {"x-api-key": "KEY"}),
        ("truss", "https://x.test", {"auth": "bearer"}, {"authorization": "Bearer KEY"}),
        ("cerebrium", "https://x.test", {"auth": "none"}, {}),
    ],
)
def test_the_key_goes_into_one_header(
    protocol: str, url: str, options: dict[str, Any], expected: dict[str, str]
) -> None:
    headers = request(protocol, url=url, api_key=" KEY\n", options=options).headers

    names = {"authorization", "api-key", "x-api-key"}
    assert {name: value for name, value in headers.items() if name in names} == expected


def test_without_a_key_no_header_is_sent() -> None:
    assert "authorization" not in request("openai", api_key="").headers


def test_a_key_that_no_header_can_carry_is_refused() -> None:
    with pytest.raises(UpstreamError, match="characters that no key can have"):
        request("openai", api_key="a\r\nx: y")


def test_further_headers_are_added() -> None:
    sent = request("openai", options={"headers": {"X-Title": "chat"}}).headers

    assert sent["x-title"] == "chat"
    assert sent["accept-encoding"] == "identity"


def test_parameters_are_sent_under_the_protocols_names() -> None:
    parameters = {"temperature": 1.7, "top_p": 0.9, "max_tokens": 5, "stop": ["x"]}

    openai = body("openai", Prompt(PROMPT.turns, parameters=parameters))
    anthropic = body("anthropic", Prompt(PROMPT.turns, parameters=parameters))

    assert openai.items() >= parameters.items()
    assert anthropic["stop_sequences"] == ["x"]
    assert (anthropic["temperature"], anthropic["max_tokens"]) == (1.0, 5)


def test_reasoning_models_get_max_tokens_under_their_own_name() -> None:
    options = {"max_tokens": 7, "max_tokens_field": "max_completion_tokens"}

    sent = body("openai", options=options)

    assert sent["max_completion_tokens"] == 7
    assert "max_tokens" not in sent


def test_stream_options_can_be_left_out() -> None:
    assert "stream_options" not in body("openai", options={"stream_options": False})


def test_turns_alternate_and_none_is_empty() -> None:
    turns = (
        Turn("user", "one"),
        Turn("assistant", " "),
        Turn("user", "two"),
        Turn("assistant", "three"),
        Turn("user", "four"),
    )

    messages = body("openai", Prompt(turns))["messages"]

    assert messages == [
        {"role": "user", "content": "one\n\ntwo"},
        {"role": "assistant", "content": "three"},
        {"role": "user", "content": "four"},
    ]


def test_the_first_message_of_anthropic_is_the_users() -> None:
    turns = (Turn("assistant", "Welcome!"), Turn("user", "Hi"))

    assert body("anthropic", Prompt(turns))["messages"] == [{"role": "user", "content": "Hi"}]


def test_a_body_template_is_filled_with_values_of_their_type() -> None:
    template = {
        "messages": "{messages}",
        "name": "{model}",
        "limit": "{max_tokens}",
        "heat": "{temperature}",
        "input": {"text": "Q: {prompt}", "stop": ["{stop}", "end"]},
        "stream": True,
    }

    sent = body("cerebrium", options={"body": template, "max_tokens": 9})

    assert sent == {
        "messages": [{"role": "user", "content": "Hi"}],
        "name": "m",
        "limit": 9,
        "input": {"text": "Q: Hi", "stop": ["end"]},
        "stream": True,
    }


def test_a_prompt_may_hold_braces() -> None:
    prompt = Prompt((Turn("user", "{system} {prompt} {0}"),))

    assert body("cerebrium", prompt)["prompt"] == "{system} {prompt} {0}"


def test_a_template_with_its_own_system_prompt_does_not_get_it_twice() -> None:
    prompt = Prompt(PROMPT.turns, system="Be brief.")
    template = {"prompt": "{prompt}", "system_prompt": "{system}", "messages": "{messages}"}

    sent = body("truss", prompt, options={"body": template})

    assert sent == {
        "prompt": "Hi",
        "system_prompt": "Be brief.",
        "messages": [{"role": "user", "content": "Hi"}],
    }


def test_a_lone_surrogate_does_not_stop_a_request() -> None:
    assert body("openai", Prompt((Turn("user", "a\ud83c"),)))["messages"][0]["content"] == "a?"


LOOKING = Prompt((Turn("user", "Look", (Image("image/png", b"\x89PNG"),)),))
IMAGE_URL = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw=="}}
TEXT = {"type": "text", "text": "Look"}


def test_images_are_parts_of_a_message_for_openai() -> None:
    assert body("openai", LOOKING)["messages"] == [{"role": "user", "content": [IMAGE_URL, TEXT]}]


def test_images_are_base64_blocks_for_anthropic() -> None:
    source = {"type": "base64", "media_type": "image/png", "data": "iVBORw=="}

    content = body("anthropic", LOOKING)["messages"][0]["content"]

    assert content == [{"type": "image", "source": source}, TEXT]


@pytest.mark.parametrize("protocol", ["truss", "cerebrium"])
def test_images_go_into_the_messages_of_a_template(protocol: str) -> None:
    template = {"input": {"messages": "{messages}"}, "prompt": "{prompt}"}

    sent = body(protocol, LOOKING, options={"body": template, "images": True})

    assert sent["input"]["messages"][0]["content"] == [IMAGE_URL, TEXT]
    assert sent["prompt"] == "Look"


def test_an_image_needs_no_words_and_stays_with_its_turn() -> None:
    image = LOOKING.turns[0].images
    turns = (Turn("user", "", image), Turn("user", "Look", image), Turn("assistant", "A cat."))

    messages = body("openai", Prompt((*turns, Turn("user", " ", image))))["messages"]

    assert messages[0]["content"] == [IMAGE_URL, IMAGE_URL, TEXT]
    assert messages[2]["content"] == [IMAGE_URL]


def request(protocol: str, prompt: Prompt = PROMPT, **settings: Any) -> Request:
    settings = {"url": "https://x.test", "model": "m", "api_key": "KEY"} | settings
    return ADAPTERS[protocol].request(prompt, Target(protocol, **settings))


def body(protocol: str, prompt: Prompt = PROMPT, **settings: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(request(protocol, prompt, **settings).body)
    return found


def prompt_of(case: dict[str, Any]) -> Prompt:
    system, *turns = RECORDED["conversation"]
    if "turns" in case:
        return Prompt(
            tuple(Turn(turn["role"], turn["content"]) for turn in turns[-case["turns"] :])
        )
    return Prompt(tuple(Turn(turn["role"], turn["content"]) for turn in turns), system["content"])


def assert_in_order(parts: list[str], text: str) -> None:
    places = [text.index(part) for part in parts]
    assert places == sorted(places)
