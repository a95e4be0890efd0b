"""How often: the time between two frames to a reader, and how many a reader may send."""

import time

FRAME_S = 1 / 60
FAST_FRAME_S = 1 / 33
_FAST_TOKENS_A_SECOND = 70.0
_NEWEST_FRAMES_SHARE = 0.25
_COMFORTABLE_REPLIES = 200
_FRAME_S_A_REPLY = 0.0002
_CHEAP_CHARS = 4096


def frame_s(running_replies: int, open_size: int, tokens_a_second: float) -> float:
    """Seconds from a frame to the next: smooth to read, and stretched so that the loop keeps up.

    It grows with the replies that share this process, and with the open block, which every frame
    renders anew on both sides (`open_size` in characters). Text that comes faster than one reads
    looks the same in fewer frames, and the reader's machine has less to do.
    """
    calm = FRAME_S if tokens_a_second < _FAST_TOKENS_A_SECOND else FAST_FRAME_S
    crowded = (running_replies - _COMFORTABLE_REPLIES) * _FRAME_S_A_REPLY
    return max(calm, crowded) * max(1.0, open_size / _CHEAP_CHARS)


class Pace:
    """When one reader's next frame may go; times are the event loop's."""

    def __init__(self, now: float) -> None:
        self.due_at = now
        self._sent_at = now
        self._tokens = 0
        self._tokens_a_second = 0.0

    def send(self, now: float, tokens: int, running_replies: int, open_size: int) -> None:
        """A frame goes `now`, with which the page has all of the `tokens` that have come.

        The time runs from when it really goes: where frames come late because there is too much to
        do, several tokens go together, and less is to do. Their pace is that of the last few
        frames, so that tokens which were late together do not count as fast ones.
        """
        pace = max(0, tokens - self._tokens) / max(now - self._sent_at, FRAME_S)
        self._tokens_a_second += (pace - self._tokens_a_second) * _NEWEST_FRAMES_SHARE
        self._sent_at, self._tokens = now, tokens
        self.due_at = now + frame_s(running_replies, open_size, self._tokens_a_second)


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
