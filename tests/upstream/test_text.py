"""Text that leaves this package is well-formed, and nothing else about it is changed."""

import pytest

from chatapp.upstream.text import TextJoiner, well_formed


@pytest.mark.parametrize(
    ("deltas", "expected"),
    [
        (["plain", " text"], ["plain", " text", ""]),
        (["a\ud83c", "\udf0ab"], ["a", "🌊b", ""]),
        (["\ud83c", "", "\udf0a"], ["", "", "🌊", ""]),
        (["\ud83c\udf0a"], ["🌊", ""]),
        (["a\ud83c", "b"], ["a", "\ufffdb", ""]),
        (["a\ud83c"], ["a", "\ufffd"]),
        (["\udf0aa"], ["\ufffda", ""]),
        (["\ud83c\ud83c", "\udf0a"], ["\ufffd", "🌊", ""]),
        (["a\0b"], ["a\ufffdb", ""]),
        (["\x0b\x0c\x1c\x85\u2028\ufeff"], ["\x0b\x0c\x1c\x85\u2028\ufeff", ""]),
    ],
)
def test_halves_of_pairs_are_joined_across_deltas(deltas: list[str], expected: list[str]) -> None:
    joiner = TextJoiner()

    found = [joiner.feed(delta) for delta in deltas] + [joiner.close()]

    assert found == expected
    assert joiner.close() == ""


def test_well_formed_text_can_be_encoded() -> None:
    assert well_formed("\ud83c\udf0a \udf0a \0").encode() == "🌊 \ufffd \ufffd".encode()
