"""The schedule is exact on average, whatever the clock and the event loop do."""

import pytest

from chatapp.demo.pace import MAX_TOKENS_PER_WRITE, WRITES_PER_S, Pace


def play(pace: Pace, tokens: int, late_s: float = 0.0) -> tuple[float, int]:
    """The time of the last token and the number of writes, if every wait takes `late_s` more."""
    now, sent, writes = 0.0, 0, 0
    while sent < tokens:
        sent += min(pace.due(sent, now), tokens - sent)
        writes += 1
        last = now
        now += pace.wait_s(sent, now) + late_s
    return last, writes


def test_the_first_token_is_due_at_once() -> None:
    assert Pace(60).due(0, 0.0) == 1


def test_each_token_is_due_one_period_after_the_one_before() -> None:
    pace = Pace(50)

    assert pace.wait_s(1, 0.0) == pytest.approx(0.02)
    assert pace.wait_s(10, 0.19) == pytest.approx(0.01)


@pytest.mark.parametrize("tokens_per_s", [0.5, 7, 60, 249, 250, 251, 1000, 33_333])
@pytest.mark.parametrize("late_s", [0.0, 0.0007, 0.003])
def test_lateness_does_not_add_up(tokens_per_s: float, late_s: float) -> None:
    tokens = 20_000

    last_s, _ = play(Pace(tokens_per_s), tokens, late_s)

    largest_write_s = max(tokens_per_s / WRITES_PER_S, 1) / tokens_per_s
    assert last_s == pytest.approx(tokens / tokens_per_s, abs=largest_write_s * 2 + late_s * 2)


@pytest.mark.parametrize("tokens_per_s", [10, 250, 1000, 20_000])
def test_a_fast_answer_takes_fewer_writes_than_tokens(tokens_per_s: float) -> None:
    tokens = 10_000

    last_s, writes = play(Pace(tokens_per_s), tokens)

    assert writes <= last_s * WRITES_PER_S + 2


def test_after_a_pause_the_next_write_catches_up() -> None:
    assert Pace(100).due(5, elapsed_s=1.0) == 96


def test_one_write_is_never_too_large() -> None:
    assert Pace(100_000).due(0, elapsed_s=60.0) == MAX_TOKENS_PER_WRITE


def test_bursts_come_together() -> None:
    pace = Pace(60, burst=30)

    assert pace.due(0, 0.0) == 30
    assert pace.wait_s(30, 0.0) == pytest.approx(0.5)


def test_zero_is_as_fast_as_it_goes() -> None:
    pace = Pace(0)

    assert (pace.due(0, 0.0), pace.wait_s(10_000, 0.0)) == (MAX_TOKENS_PER_WRITE, 0.0)
