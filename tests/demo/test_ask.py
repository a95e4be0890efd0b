"""Bodies of every protocol → one kind of question."""

from typing import Any

import pytest

from chatapp.demo.ask import Ask, Picture, Unreadable, read_ask

CONVERSATION = [
    {"role": "user", "content": "Hi"},
    {"role": "assistant", "content": "Hello! 👋"},
    {"role": "user", "content": "Why?\nUser: is a word"},
]
TRANSCRIPT = "System: Be brief.\n\nUser: Hi\n\nAssistant: Hello! 👋\n\nUser:  Why?\n\n\nAssistant:"


def read(body: object) -> Ask:
    return read_ask("openai", body, streams_unasked=False)


@pytest.mark.parametrize(
    "body",
    [
        {"messages": [{"role": "system", "content": "Be brief."}, *CONVERSATION]},
        {"system": "Be brief.", "messages": CONVERSATION},
        {"system": [{"type": "text", "text": "Be brief."}], "messages": CONVERSATION},
    ],
)
def test_chat_messages_are_a_conversation(body: dict[str, Any]) -> None:
    ask = read(body)

    assert (ask.prompt, ask.system, ask.turns) == ("Why?\nUser: is a word", "Be brief.", 3)


def test_a_transcript_is_a_conversation() -> None:
    ask = read({"prompt": TRANSCRIPT})

    assert (ask.prompt, ask.system, ask.turns) == (" Why?\n", "Be brief.", 3)


@pytest.mark.parametrize(
    "prompt", ["User: this is no transcript", "Assistant:", "a\n\nUser: b\n\nAssistant: c", ""]
)
def test_a_prompt_without_the_cue_is_one_turn(prompt: str) -> None:
    assert (read({"prompt": prompt}).prompt, read({"prompt": prompt}).turns) == (prompt, 1)


def test_parts_of_text_are_joined() -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "image"}, {"type": "text", "text": "b"}]

    assert read({"messages": [{"role": "user", "content": parts}]}).prompt == "ab"


def test_parameters_are_what_is_left() -> None:
    ask = read({"prompt": "a", "model": "m", "stream": True, "temperature": 0.5, "max_tokens": 9})

    assert ask.parameters == {"temperature": 0.5, "max_tokens": 9}
    assert (ask.model, ask.is_streamed, ask.max_tokens) == ("m", True, 9)


def test_halves_of_a_character_are_joined_or_replaced() -> None:
    assert read({"prompt": "\ud83c\udf0a \ud83c"}).prompt == "🌊 \ufffd"


@pytest.mark.parametrize("body", [None, 7, [], {}, {"messages": "x"}, {"messages": [7]}])
def test_a_body_without_a_question_says_what_was_expected(body: object) -> None:
    with pytest.raises(Unreadable, match="Expected"):
        read(body)


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw=="}},
        {
            "type": "image",
            "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw=="},
        },
    ],
)
def test_images_of_the_last_message_are_counted(part: dict[str, Any]) -> None:
    content = [part, {"type": "text", "text": "Look"}]
    ask = read({"messages": [{"role": "user", "content": content}]})
    later = read({"messages": [{"role": "user", "content": content}, *CONVERSATION]})

    assert (ask.prompt, ask.pictures) == ("Look", (Picture("image/png", 4),))
    assert later.pictures == ()


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": "https://x.test/a.png"},
        {"type": "image_url", "image_url": {"url": "https://x.test/a.png"}},
        {"type": "image", "source": {"data": "no base64!"}},
        {"type": "image"},
    ],
)
def test_an_image_that_did_not_come_along_has_no_bytes(part: dict[str, Any]) -> None:
    assert [p.size for p in read({"messages": [{"role": "user", "content": [part]}]}).pictures] == [
        0
    ]
