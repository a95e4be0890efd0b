"""The key is removed from what an upstream says, however that is cut and escaped."""

import random
import re

import pytest

from chatapp.upstream.redaction import KeyRemover, without_key

KEY = 'sk-ab/cd+"ef'
SAID = [
    f"Bearer {KEY} is wrong",
    f"{KEY}{KEY}",
    'sk-ab/cd+\\"ef within JSON',
    "sk-ab\\/cd+\\\"ef within PHP's JSON",
    "sk-ab%2Fcd%2B%22ef within a URL",
    f"sk-sk-ab/{KEY}",
]


@pytest.mark.parametrize("said", SAID)
@pytest.mark.parametrize("seed", range(5))
def test_no_cut_lets_the_key_through(said: str, seed: int) -> None:
    remover, dice, told, rest = KeyRemover(f" {KEY}\n"), random.Random(seed), "", said
    while rest:
        cut = dice.randint(1, 6)
        told += remover.feed(rest[:cut])
        rest = rest[cut:]
    told += remover.close()

    assert "[key]" in told
    assert "cd" not in told
    # Where it was cut behind its first letters, these are told.
    assert re.sub(r"(sk-|sk|s)\[key\]", "[key]", told) == without_key(said, KEY)


def test_nothing_else_is_changed_or_lost() -> None:
    remover = KeyRemover(KEY)
    pieces = ["sk", "-a", "bc and sk-ab/cX", " the end s"]

    told = "".join(map(remover.feed, pieces)) + remover.close()

    assert told == "".join(pieces)


def test_the_better_part_of_a_key_is_not_told_either() -> None:
    remover = KeyRemover(KEY)

    assert remover.feed(f"it is {KEY[:-1]}") + remover.close() == "it is [key]"


@pytest.mark.parametrize("length", range(1, 8))
def test_what_any_sentence_may_end_with_is_told_at_its_end(length: int) -> None:
    remover = KeyRemover(KEY)

    told = remover.feed(f"it is {KEY[:length]}")

    assert told == ("it is " if length > 3 else f"it is {KEY[:length]}")
    assert told + remover.close() == f"it is {KEY[:length]}"


def test_ordinary_words_are_not_held_back() -> None:
    remover = KeyRemover(KEY)
    pieces = ["Words", " and tasks", " k-ab/cd", "of any ", "kinds"]

    assert [remover.feed(piece) for piece in pieces] == pieces


def test_without_a_key_text_passes_as_it_is() -> None:
    remover = KeyRemover("")

    assert remover.feed("any text") + remover.close() == "any text"
    assert without_key("any text", "") == "any text"


@pytest.mark.parametrize("key", ["ollama", "EMPTY", "none", "lm-studio", "not-needed", "x-1"])
def test_what_stands_in_the_place_of_a_key_is_no_secret(key: str) -> None:
    assert KeyRemover(key).feed(f"run {key} now") == f"run {key} now"


@pytest.mark.parametrize("key", ["sk-1234", "Zq8x", "CorrectHorse", "correct horse battery"])
def test_a_short_key_and_one_of_words_are(key: str) -> None:
    assert without_key(f"run {key} now", key) == "run [key] now"
