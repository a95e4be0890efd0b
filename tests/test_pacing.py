"""Frames are as frequent as a screen, and rarer when they cost more."""

import time

from chatapp.pacing import FRAME_S, Allowance, frame_s


def test_a_calm_server_sends_a_frame_a_refresh() -> None:
    assert frame_s(1, 300) == FRAME_S
    assert frame_s(100, 0) == FRAME_S


def test_many_replies_or_a_large_open_block_stretch_the_frame() -> None:
    assert frame_s(500, 0) > FRAME_S
    assert frame_s(1, 40_000) > 5 * FRAME_S


def test_an_allowance_is_used_up_and_comes_back() -> None:
    allowance = Allowance(burst=3, rate=1000)

    assert [allowance.take() for _ in range(3)] == [True] * 3
    empty = Allowance(burst=1, rate=0)
    assert [empty.take(), empty.take()] == [True, False]
    time.sleep(0.005)
    assert allowance.take()
