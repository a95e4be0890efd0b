"""Frames are as frequent as one can read, and rarer when they cost more."""

import time

from chatapp.page.pacing import FRAME_S, FrameAllowance, due_after, frame_s


def test_a_calm_server_sends_smoothly() -> None:
    assert frame_s(1, 300) == FRAME_S
    assert frame_s(100, 0) == FRAME_S


def test_many_replies_or_a_large_open_block_stretch_the_frame() -> None:
    assert frame_s(500, 0) > FRAME_S
    assert frame_s(1, 40_000) > 5 * FRAME_S


def test_a_late_frame_lets_the_next_come_early() -> None:
    due_at, waits = 0.0, []
    for token_at in (0.0, 2.1, 4.0, 6.4, 8.0):
        sent_at = max(token_at, due_at)
        waits.append(sent_at - token_at)
        due_at = due_after(due_at, sent_at, 2.0)

    assert waits == [0.0] * 5


def test_faster_tokens_go_out_at_the_frames_pace() -> None:
    due_at, sent = 0.0, []
    while len(sent) < 10:
        sent.append(due_at)
        due_at = due_after(due_at, due_at, 2.0)

    assert sent[-1] - sent[0] == 18.0


def test_an_allowance_is_used_up_and_comes_back() -> None:
    allowance = FrameAllowance(burst=3, rate=1000)

    assert [allowance.take() for _ in range(3)] == [True] * 3
    empty = FrameAllowance(burst=1, rate=0)
    assert [empty.take(), empty.take()] == [True, False]
    time.sleep(0.005)
    assert allowance.take()
