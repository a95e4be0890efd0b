"""How often: the time between two frames to a reader, and how many a reader may send."""

import time

FRAME_S = 1 / 60
FAST_FRAME_S = 1 / 33
_COMFORTABLE_REPLIES = 200
_FRAME_S_A_REPLY = 0.0002
_CHEAP_CHARS = 4096


def frame_s(running_replies: int, open_size: int, tokens: int = 1) -> float:
    """Seconds from a frame to the next: smooth to read, and stretched so that the loop keeps up.

    It grows with the replies that share this process, and with the open block, which every frame
    renders anew on both sides (`open_size` in characters). Text that comes several `tokens` a frame
    is faster than one reads: fewer frames look the same, and the reader's machine has less to do.
    """
    calm = FRAME_S if tokens < 2 else FAST_FRAME_S
    crowded = (running_replies - _COMFORTABLE_REPLIES) * _FRAME_S_A_REPLY
    return max(calm, crowded) * max(1.0, open_size / _CHEAP_CHARS)


class Pace:
    """When one reader's next frame may go; times are the event loop's."""

    def __init__(self, now: float) -> None:
        self.due_at = now
        self._tokens = 0

    def send(self, now: float, tokens: int, running_replies: int, open_size: int) -> None:
        """A frame goes `now`, with which the page has all of the `tokens` that have come.

        The time runs from when it really goes: where frames come late because there is too much to
        do, several tokens go together, and less is to do.
        """
        wait_s = frame_s(running_replies, open_size, tokens - self._tokens)
        self.due_at = now + wait_s
        self._tokens = tokens


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
