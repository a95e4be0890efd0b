"""A request → its script: length, pace, reasoning, and always the same for the same prompt."""

from itertools import islice

import pytest

from chatapp.demo.ask import Ask
from chatapp.demo.pace import Pace
from chatapp.demo.script import Channel, Finish, Piece, Reel, Script, write_script
from chatapp.demo.tokens import tokens


def script_of(prompt: str, **more: object) -> Script:
    return write_script(Ask("openai", prompt, **more))  # type: ignore[arg-type]


def text_of(script: Script, channel: Channel = Channel.TEXT) -> str:
    return "".join(piece.text for piece in script.pieces if piece.channel is channel)


@pytest.mark.parametrize("prompt", ["hello", "why?", "a poem and math", "think", "/tokens 900"])
def test_the_same_prompt_gets_the_same_script(prompt: str) -> None:
    assert list(script_of(prompt).pieces) == list(script_of(prompt).pieces)


def test_different_prompts_get_different_scripts() -> None:
    answers = {text_of(script_of(f"question number {number}")) for number in range(30)}

    shapes = {answer.partition("let me show you")[2][:30] for answer in answers}
    assert len(shapes) >= 7


@pytest.mark.parametrize("length", [1, 5, 50, 777, 20_000])
@pytest.mark.parametrize("prompt", ["/tokens {}", "/tokens {} table and code"])
def test_tokens_gives_exactly_that_many(prompt: str, length: int) -> None:
    pieces = list(script_of(prompt.format(length)).pieces)

    assert len(pieces) == length
    assert "".join(piece.text for piece in pieces).strip()


@pytest.mark.parametrize("length", [60, 300, 1111, 5000])
def test_tokens_cuts_no_block_of_code_open(length: int) -> None:
    assert text_of(script_of(f"/tokens {length} code")).count("```") % 2 == 0


@pytest.mark.parametrize("length", [1, 80, 3000])
def test_reason_gives_exactly_that_many_tokens_first(length: int) -> None:
    pieces = list(script_of(f"/reason {length} table").pieces)

    assert all(piece.channel is Channel.REASONING for piece in pieces[:length])
    assert all(piece.channel is Channel.TEXT for piece in pieces[length:])
    assert len(pieces) > length


@pytest.mark.parametrize("prompt", ["think about math", "reason!", "Thinking, then a poem"])
def test_plain_words_ask_for_reasoning_as_well(prompt: str) -> None:
    assert "I look for words that I know" in text_of(script_of(prompt), Channel.REASONING)


def test_code_is_one_block_of_that_many_lines() -> None:
    lines = text_of(script_of("/code 300 rust")).split("\n")

    assert (lines[0], lines[-1], len(lines)) == ("```rust", "```", 302)
    assert "```" not in lines[1:-1]


def test_pace_and_delay_are_as_usual_or_as_ordered() -> None:
    usual, ordered = script_of("hello"), script_of("hello /pace 5 /delay 2")

    assert (usual.pace, usual.first_token_delay_s) == (Pace(60), 0.25)
    assert (ordered.pace, ordered.first_token_delay_s) == (Pace(5), 2)


def test_slow_first_is_slow_unless_ordered_otherwise() -> None:
    assert script_of("/fault slow-first").first_token_delay_s == 10
    assert script_of("/fault slow-first /delay 1").first_token_delay_s == 1


def test_endless_goes_on() -> None:
    pieces = script_of("/fault endless").pieces

    assert len(list(islice(pieces, 50_000))) == 50_000


def test_a_huge_answer_costs_nothing_before_it_is_told() -> None:
    script = script_of("/code 100000")

    assert next(script.pieces) == Piece("```")


@pytest.mark.parametrize(
    ("limit", "finish"), [(2, Finish.LENGTH), (3, Finish.STOP), (None, Finish.STOP)]
)
def test_a_reel_knows_why_it_is_over(limit: int | None, finish: Finish) -> None:
    script = Script(iter([Piece("a"), Piece("b"), Piece("c")]), Pace(), max_tokens=limit)
    reel = Reel(script)

    while reel.take(2):
        pass

    assert (reel.played, reel.finish) == (limit or 3, finish)


def test_an_echo_is_made_of_pieces() -> None:
    assert [p.text for p in script_of("/echo Hi there").pieces] == list(tokens("Hi there"))
