"""What a person types → what is ordered, and what they are told when it makes no sense."""

import pytest

from chatapp.demo.commands import REASONING_TOKENS, read_orders
from chatapp.demo.faults import FAULTS


def test_commands_may_stand_anywhere() -> None:
    orders = read_orders("a table /pace 5 and, /delay 0.5, some /tokens 70 code")

    assert (orders.pace, orders.delay, orders.tokens) == (5, 0.5, 70)
    assert orders.words == "a table and, some code"


@pytest.mark.parametrize("word", ["0", "max"])
def test_zero_and_max_are_as_fast_as_it_goes(word: str) -> None:
    assert read_orders(f"/pace {word}").pace == 0


def test_what_comes_last_counts() -> None:
    assert read_orders("/pace 5 /pace 7").pace == 7


def test_the_number_of_reason_may_be_left_out() -> None:
    orders = read_orders("/reason about tables")

    assert (orders.reason, orders.words) == (REASONING_TOKENS, "about tables")
    assert read_orders("/reason 12 about tables").reason == 12


@pytest.mark.parametrize(
    "text", ["", " leading", "trailing \n", "/pace 5 /fault cut", "a\n\nb", "/echo twice"]
)
def test_echo_takes_everything_after_it(text: str) -> None:
    orders = read_orders(f"/pace 9 /echo {text}")

    assert (orders.echo, orders.pace, orders.fault) == (text, 9, None)


@pytest.mark.parametrize("text", ["/usr/bin/env", "and/or", "1/2", "http://a/help", "path /help/x"])
def test_a_slash_alone_makes_no_command(text: str) -> None:
    orders = read_orders(text)

    assert (orders.words, orders.help, orders.complaints) == (text, False, ())


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("/pace fast", "a number from 0 to 1,000,000, or `max`. I got `fast`"),
        ("/pace -1", "I got `-1`"),
        ("/pace nan", "I got `nan`"),
        ("/pace", "I got nothing"),
        ("/pace /help", "I got nothing"),
        ("/delay 601", "seconds: a number from 0 to 600"),
        ("/tokens 0", "a length in tokens: a number from 1 to 100,000"),
        ("/code many", "a number of lines"),
        ("/fault explosion", "one of `400`, `401`"),
        ("/fault `` ` ``", "I got nothing"),
        ("/frobnicate now", "I know no command `/frobnicate`"),
    ],
)
def test_a_complaint_says_what_was_expected(prompt: str, expected: str) -> None:
    (complaint,) = read_orders(prompt).complaints

    assert expected in complaint


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_has_its_name(name: str) -> None:
    assert read_orders(f"/fault {name}").fault is FAULTS[name]


def test_a_fault_does_not_outlive_its_message() -> None:
    unanswered_and_next = "/fault 429 /pace 5\n\nhello"

    orders = read_orders(unanswered_and_next)

    assert (orders.fault, orders.pace) == (None, 5)
