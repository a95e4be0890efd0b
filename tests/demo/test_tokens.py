"""Pieces look like a model's, and lose nothing."""

import pytest

from chatapp.demo.tokens import tokens


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("Hello there, world!\n\n", ["Hello", " there", ",", " world", "!\n\n"]),
        ("streaming answers", ["stre", "aming", " answers"]),
        ("    return 12345", ["   ", " return", " 123", "45"]),
        ("言葉は一つ", ["言葉", "は一", "つ"]),
        ("a &#42;b", ["a", " &#42;", "b"]),
        ("a\n\n\nb", ["a", "\n\n\n", "b"]),
    ],
)
def test_a_word_brings_the_space_before_it(text: str, pieces: list[str]) -> None:
    assert list(tokens(text)) == pieces


@pytest.mark.parametrize(
    "text",
    ["", " ", "\r\n\t \x00\x85\u2028", "👩‍💻🏳️‍🌈 e\u0301", "_snake_case_ 3.14 \\(x\\)", "שלום עולם"],
)
def test_joined_pieces_are_the_text(text: str) -> None:
    assert "".join(tokens(text)) == text
