"""Moments at which deltas arrived → a compact record of them, for the timing of a reply."""

MAX_BUCKETS = 64
_FIRST_BUCKET_MS = 10.0


class Arrivals:
    """Counts of deltas per time bucket since the first one.

    There are never more than 64 buckets: when a reply outlasts them, neighbours are merged and
    the bucket doubles, so memory does not grow with the reply.
    """

    def __init__(self) -> None:
        self._bucket_ms = _FIRST_BUCKET_MS
        self._counts: list[int] = []
        self._start_s: float | None = None

    def add(self, now_s: float, deltas: int) -> None:
        """Notes `deltas` arrivals at `now_s`, a monotonic clock's seconds."""
        if self._start_s is None:
            self._start_s = now_s
        index = int((now_s - self._start_s) * 1000 / self._bucket_ms)
        while index >= MAX_BUCKETS:
            self._halve()
            index //= 2
        if index >= len(self._counts):
            self._counts.extend([0] * (index + 1 - len(self._counts)))
        self._counts[index] += deltas

    def record(self) -> dict[str, object]:
        """`{"bucket_ms": width, "counts": [deltas per bucket, from the first delta on]}`."""
        return {"bucket_ms": self._bucket_ms, "counts": list(self._counts)}

    def _halve(self) -> None:
        counts = self._counts
        self._counts = [sum(counts[i : i + 2]) for i in range(0, len(counts), 2)]
        self._bucket_ms *= 2
