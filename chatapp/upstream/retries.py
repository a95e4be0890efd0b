"""A failure before the first byte of an answer in → how long to wait before one more try out.

Tried again, twice at most:

- a connection that was refused, broke or closed without an answer, and a name that was not found.
  A kept connection that the server has closed meanwhile looks just like that;
- 502, 503 and 529, which say that no model has begun, or any temporary failure that names the wait.

Reported at once:

- 429 without Retry-After: asking again within a second spends more of the limit it is about;
- 500 and 504: the model ran and failed, and would be paid for again; timeouts: a person has waited
  the whole limit once;
- a wait longer than a person's patience: the page offers to try again when it is over.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from chatapp.errors import Kind, Problem

_NOT_BEGUN = frozenset({502, 503, 529})


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """`delays_s` has one entry for each retry; `patience_s` bounds all waits of a call together."""

    delays_s: Sequence[float] = (0.5, 1.0)
    patience_s: float = 10.0

    def wait_s(self, problem: Problem, retries: int, waited_s: float) -> float | None:
        """Seconds to wait after `retries` retries that waited `waited_s`; None to give up."""
        if retries >= len(self.delays_s) or not _is_worth_it(problem):
            return None
        wait_s = self.delays_s[retries] * random.uniform(0.75, 1.25)
        if problem.retry_after_s is not None:
            wait_s = max(wait_s, problem.retry_after_s)
        return wait_s if waited_s + wait_s <= self.patience_s else None


# For what a person does not wait for, or watches: nothing that failed is tried again. The second
# request is for an endpoint that refuses an option which can be given up.
NO_FAILURES = RetryPolicy(delays_s=(0.0,), patience_s=-1.0)


def _is_worth_it(problem: Problem) -> bool:
    if problem.http_status is None:
        return problem.kind is Kind.NETWORK
    names_wait = problem.retry_after_s is not None and problem.kind.is_temporary
    return names_wait or problem.http_status in _NOT_BEGUN
