"""Endings of replies → those that waited for a cold start.

No protocol says so: the gateway holds the request while a replica starts. So a cold start is a
first token that came after a silence of the endpoint, and far later than usual there. Several at
once, all waiting for the same start, are cold each.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from chatapp.figures.tally import Ending, percentile
from chatapp.models import Message

SILENCE = timedelta(minutes=5)
TIMES_THE_USUAL = 3
LEAST_MS = 2000

# The times at which an endpoint ended replies of which there was a token, in order.
Ends = Mapping[str, list[datetime]]


def cold_among(endings: Iterable[Ending], known: Mapping[str, list[float]]) -> set[Ending]:
    """Those that were cold. `known` are first-token times of the day before, by endpoint, without
    those of cold starts.

    The usual is the median of these and of the endings' own that were quick or followed no
    silence. Visits the database once if any was slow.
    """
    endings = [ending for ending in endings if ending.first_ms is not None]
    slow = [ending for ending in endings if (ending.first_ms or 0) > LEAST_MS]
    ends = _ends_around(slow) if slow else {}
    silent = {ending for ending in slow if _was_silent(ending, ends)}
    times = defaultdict(list, {name: list(values) for name, values in known.items()})
    for ending in endings:
        if ending not in silent:
            times[ending.endpoint_name].append(ending.first_ms or 0)
    bars = {e.endpoint_name: _bar(times[e.endpoint_name]) for e in silent}
    return {ending for ending in silent if (ending.first_ms or 0) > bars[ending.endpoint_name]}


def _bar(times_ms: list[float]) -> float:
    return max(LEAST_MS, TIMES_THE_USUAL * (percentile(times_ms, 50) or 0))


def _ends_around(endings: list[Ending]) -> Ends:
    sent = [ending.sent_at for ending in endings if ending.sent_at]
    rows = Message.objects.filter(
        finished_at__gte=min(sent) - SILENCE,
        finished_at__lt=max(sent),
        first_token_at__isnull=False,
        owner__gt="",
        endpoint_name__in={ending.endpoint_name for ending in endings},
    )
    ends: defaultdict[str, list[datetime]] = defaultdict(list)
    for name, at in rows.order_by("finished_at").values_list("endpoint_name", "finished_at"):
        if at is not None:
            ends[name].append(at)
    return ends


def _was_silent(ending: Ending, ends: Ends) -> bool:
    if ending.sent_at is None:
        return False
    known = ends.get(ending.endpoint_name, [])
    before = bisect_left(known, ending.sent_at)
    return before == 0 or known[before - 1] < ending.sent_at - SILENCE
