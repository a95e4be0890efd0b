"""How often: the time between two frames to a reader, and how many a reader may send."""

import time

FRAME_S = 1 / 50
_COMFORTABLE_REPLIES = 200
_FRAME_S_A_REPLY = 0.0002
_CHEAP_CHARS = 4096


def frame_s(running_replies: int, open_size: int) -> float:
    """Seconds from one frame to the next: smooth to read, and stretched so that the loop keeps up.

    It grows with the replies that share this process, and with the open block, which every frame
    renders anew on both sides (`open_size` in characters).
    """
    crowded = (running_replies - _COMFORTABLE_REPLIES) * _FRAME_S_A_REPLY
    return max(FRAME_S, crowded) * max(1.0, open_size / _CHEAP_CHARS)


def due_after(due_at: float, now: float, frame_s: float) -> float:
    """When the next frame may go, after one that was due at `due_at` and goes `now`.

    What a frame goes late the next may go early, up to a frame's time: tokens that come about as
    often as frames may go do not wait for those that came late before them.
    """
    return max(due_at, now - frame_s) + frame_s


class FrameAllowance:
    """So many at once, refilled at so many a second."""

    def __init__(self, burst: int, rate: float) -> None:
        self._burst = burst
        self._rate = rate
        self._left = float(burst)
        self._at = time.monotonic()

    def take(self) -> bool:
        """Uses one up; False if there is none left."""
        now = time.monotonic()
        self._left = min(self._burst, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
