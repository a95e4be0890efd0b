"""Frames are as frequent as one can read, and rarer when they cost more."""

import time

import pytest

from chatapp.page.pacing import FAST_FRAME_S, FRAME_S, FrameAllowance, Pace, frame_s


def test_a_calm_server_sends_smoothly() -> None:
    assert frame_s(1, 300, 50) == FRAME_S
    assert frame_s(100, 0, 0) == FRAME_S


def test_many_replies_or_a_large_open_block_stretch_the_frame() -> None:
    assert frame_s(500, 0, 50) > FRAME_S
    assert frame_s(1, 40_000, 50) > 5 * FRAME_S


def waits(pace: Pace, token_times: list[float]) -> list[float]:
    """How long each token waits, if a frame goes as soon as it may."""
    waited, left = [], list(token_times)
    while left:
        sent_at = max(left[0], pace.due_at)
        waited += [sent_at - at for at in left if at <= sent_at]
        left = [at for at in left if at > sent_at]
        pace.send(sent_at, len(token_times) - len(left), 1, 0)
    return waited


def test_a_late_frame_makes_the_next_no_earlier() -> None:
    pace = Pace(0)
    pace.send(0.2, 1, 1, 0)

    assert pace.due_at == pytest.approx(0.2 + FRAME_S)


def test_tokens_at_the_pace_of_reading_wait_for_nothing_and_faster_ones_go_together() -> None:
    read_at = [i / 50 for i in range(100)]
    faster = [i / 100 for i in range(300)]

    assert waits(Pace(0), read_at) == [0.0] * 100
    assert max(waits(Pace(0), faster)) == pytest.approx(FAST_FRAME_S, abs=0.001)


def test_tokens_that_were_late_together_make_none_behind_them_wait() -> None:
    read_at = [i / 50 for i in range(100)]
    read_at[50] = read_at[49] = read_at[51]

    assert waits(Pace(0), read_at) == [0.0] * 100


def test_after_a_pause_a_single_token_goes_at_once_again() -> None:
    pace = Pace(0)

    assert waits(pace, [0, 0.001, 0.002, 1])[-1] == 0


def test_an_allowance_is_used_up_and_comes_back() -> None:
    allowance = FrameAllowance(burst=3, rate=1000)

    assert [allowance.take() for _ in range(3)] == [True] * 3
    empty = FrameAllowance(burst=1, rate=0)
    assert [empty.take(), empty.take()] == [True, False]
    time.sleep(0.005)
    assert allowance.take()
