"""A call → reserved in its person's counters before it, settled with what it took after it.

One statement changes the counters; whoever changes them looks at what came of it, and takes all
back by leaving the transaction. The clock is the database's, and only ever goes forward: a day or a
month that has begun is not begun again by a clock that jumped back. One that was more than a day
ahead has left counters that nobody would live to see ended; they go on today.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

from django.conf import settings
from django.db import connection, transaction

from chatapp.limits.allowances import Allowance, allowance_of, are_set
from chatapp.limits.refusals import Kind, LimitReached, Refusal, next_day, next_month
from chatapp.models import Conversation, Message, Usage

MINUTE_S = 60


@dataclass(frozen=True, slots=True)
class Reservation:
    """What a call may take: `prompt` tokens for what is asked, `tokens` in all; `tokens` is None
    if nobody is limited, and nothing was reserved."""

    person_id: int
    prompt: int
    tokens: int | None


def reservation(person_id: int, prompt: int, most_written: int) -> Reservation:
    """Still to be made, by `reserve`."""
    return Reservation(person_id, prompt, prompt + most_written if are_set() else None)


def reserve(wanted: Reservation) -> None:
    """Counts a prompt, a running reply and its tokens, or raises LimitReached.

    It has to come last in the transaction that stores the reply, which is undone with it: nobody
    then waits for anything else while others wait for these counters.
    """
    if wanted.tokens is None:
        return
    allowed = allowance_of(wanted.person_id)
    usage = _add(wanted.person_id, prompts=1, running=1, reserved=wanted.tokens)
    if next(_refusals(allowed, usage, wanted.tokens), None):
        # A reply that was deleted in a process that then died is still counted: before anybody is
        # refused, what really runs is looked at.
        _recount(usage)
    for refusal in _refusals(allowed, usage, wanted.tokens):
        raise LimitReached(refusal)
    _check_service(usage, wanted.tokens)


def settle(done: Reservation, tokens: int) -> None:
    """Ends the reservation and counts what was really taken, on the day that it is known.

    Once for each reservation, in the transaction that ends its reply.
    """
    is_reserved = done.tokens is not None
    _add(done.person_id, running=-is_reserved, reserved=-(done.tokens or 0), tokens=tokens)


def reserve_aside(wanted: Reservation) -> None:
    """`reserve` for a call that nobody sent a prompt for, such as for a title: its tokens alone."""
    if wanted.tokens is None:
        return
    allowed = allowance_of(wanted.person_id)
    usage = _add(wanted.person_id, reserved=wanted.tokens)
    tokens_alone = replace(allowed, prompts_a_minute=None, parallel_replies=None)
    for refusal in _refusals(tokens_alone, usage, wanted.tokens):
        raise LimitReached(refusal)
    _check_service(usage, wanted.tokens)


def settle_aside(done: Reservation, tokens: int) -> None:
    """`settle` where no row tells of the reservation, which a recount may have left out: after
    `reserve_aside`, and where the reply was deleted."""
    with transaction.atomic():  # whoever reserves meanwhile waits for the row that is recounted
        usage = _add(done.person_id, tokens=tokens)
        if done.tokens is not None:
            _recount(usage)


def running_of(person_id: int) -> tuple[int, int]:
    """The replies that are being written, and the tokens that are reserved for them."""
    with connection.cursor() as cursor:
        cursor.execute(_RUNNING, [person_id])
        count, tokens = cursor.fetchone()
    return count, int(tokens)


def service_tokens(month: date) -> int:
    """What everybody together took of the month, and what their running replies may still take."""
    with connection.cursor() as cursor:
        cursor.execute(_SERVICE, [connection.ops.adapt_datefield_value(month)])
        return int(cursor.fetchone()[0])


def are_ahead() -> bool:
    """Whether there are counters of a day or a month that begins later than tomorrow."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT EXISTS (SELECT 1 FROM {Usage._meta.db_table} WHERE {_IS_AHEAD})")
        return bool(cursor.fetchone()[0])


def bring_back() -> int:
    """Moves those to today and this month, with all that they have counted; returns how many.

    What was counted while the clock was ahead was spent: it counts for now, once. In no other
    transaction: it waits for everybody's counters.
    """
    with connection.cursor() as cursor:
        cursor.execute(_BRING_BACK)
        return int(cursor.rowcount)


def _add(
    person_id: int, *, prompts: int = 0, running: int = 0, reserved: int = 0, tokens: int = 0
) -> Usage:
    """Adds to the counters, of a new minute, day or month if one has begun; what they are then."""
    with connection.cursor() as cursor:
        cursor.execute(_ADD, [person_id, prompts, tokens, tokens, running, reserved])
        usage = Usage(*cursor.fetchone())
    usage.day, usage.month = _date(usage.day), _date(usage.month)
    return usage


def _refusals(allowed: Allowance, usage: Usage, wanted: int) -> Iterator[Refusal]:
    """The limits that the counters are beyond, a call of `wanted` tokens being part of them."""
    counts = (
        (Kind.PROMPTS, allowed.prompts_a_minute, usage.prompts, 1, usage.minute_from + MINUTE_S),
        (Kind.PARALLEL, allowed.parallel_replies, usage.running, 1, None),
        (Kind.DAY, allowed.tokens_a_day, usage.day_tokens, wanted, next_day(usage.day)),
        (Kind.MONTH, allowed.tokens_a_month, usage.month_tokens, wanted, next_month(usage.month)),
    )
    for kind, most, used, part, until in counts:
        has = used + usage.reserved if kind in (Kind.DAY, Kind.MONTH) else used
        if most is not None and has > most:
            yield Refusal(kind, most, max(0, most - has + part), part, until)


def _check_service(usage: Usage, wanted: int) -> None:
    """The stop of everybody: one after the other, so that what each adds is seen by the next."""
    most = settings.LIMIT_SERVICE_TOKENS_A_MONTH
    if most is None:
        return
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_SERVICE_LOCK])
    taken = service_tokens(usage.month)
    if taken > most:
        left = max(0, most - taken + wanted)
        raise LimitReached(Refusal(Kind.SERVICE, most, left, wanted, next_month(usage.month)))


def _date(value: date | str) -> date:
    """SQLite knows no dates."""
    return date.fromisoformat(value) if isinstance(value, str) else value


def _recount(usage: Usage) -> None:
    usage.running, usage.reserved = running_of(usage.pk)
    usage.save(update_fields=["running", "reserved"])


_SERVICE_LOCK = 0x6C696D6974
_SECOND, _DAY, _MONTH, _TOMORROW = {
    "sqlite": (
        "CAST(STRFTIME('%%s', 'now') AS INTEGER)",
        "DATE('now')",
        "DATE('now', 'start of month')",
        "DATE('now', '+1 day')",
    ),
    "postgresql": (
        "CAST(EXTRACT(EPOCH FROM STATEMENT_TIMESTAMP()) AS BIGINT)",
        "CAST(STATEMENT_TIMESTAMP() AT TIME ZONE 'UTC' AS DATE)",
        "CAST(DATE_TRUNC('month', STATEMENT_TIMESTAMP() AT TIME ZONE 'UTC') AS DATE)",
        "(CAST(STATEMENT_TIMESTAMP() AT TIME ZONE 'UTC' AS DATE) + 1)",
    ),
}[connection.vendor]

# A minute begins with its first prompt. After a jump back of the clock the count stays, and ends
# within a minute of the new time.
_IS_NEW_MINUTE = f"(own.prompts = 0 OR excluded.minute_from >= own.minute_from + {MINUTE_S})"
_ADD = f"""
    INSERT INTO {Usage._meta.db_table} AS own
        (person_id, minute_from, prompts, day, day_tokens, month, month_tokens, running, reserved)
    VALUES (%s, {_SECOND}, %s, {_DAY}, %s, {_MONTH}, %s, %s, %s)
    ON CONFLICT (person_id) DO UPDATE SET
        prompts = excluded.prompts + CASE WHEN {_IS_NEW_MINUTE} THEN 0 ELSE own.prompts END,
        minute_from = CASE
            WHEN {_IS_NEW_MINUTE} OR excluded.minute_from < own.minute_from
            THEN excluded.minute_from ELSE own.minute_from END,
        day_tokens = excluded.day_tokens
            + CASE WHEN excluded.day > own.day THEN 0 ELSE own.day_tokens END,
        day = CASE WHEN excluded.day > own.day THEN excluded.day ELSE own.day END,
        month_tokens = excluded.month_tokens
            + CASE WHEN excluded.month > own.month THEN 0 ELSE own.month_tokens END,
        month = CASE WHEN excluded.month > own.month THEN excluded.month ELSE own.month END,
        running = CASE
            WHEN own.running + excluded.running > 0 THEN own.running + excluded.running ELSE 0 END,
        reserved = CASE
            WHEN own.reserved + excluded.reserved > 0
            THEN own.reserved + excluded.reserved ELSE 0 END
    RETURNING {", ".join(str(field.column) for field in Usage._meta.concrete_fields)}
"""
_IS_AHEAD = f"(day > {_TOMORROW} OR month > {_TOMORROW})"
_BRING_BACK = f"""
    UPDATE {Usage._meta.db_table} SET
        day = CASE WHEN day > {_TOMORROW} THEN {_DAY} ELSE day END,
        month = CASE WHEN month > {_TOMORROW} THEN {_MONTH} ELSE month END
    WHERE {_IS_AHEAD}
"""
# The words of the condition are those of the index on replies in the making, which are few. SQLite
# begins with what stands before CROSS JOIN, and not with all that the person ever said.
_LIVE = "status IN ('queued', 'streaming')"
_RUNNING = f"""
    SELECT COUNT(reserved_tokens), COALESCE(SUM(reserved_tokens), 0)
    FROM {Message._meta.db_table} message
    CROSS JOIN {Conversation._meta.db_table} conversation
    WHERE message.{_LIVE} AND conversation.id = conversation_id AND conversation.owner_id = %s
"""
_SERVICE = f"""
    SELECT (SELECT COALESCE(SUM(month_tokens), 0) FROM {Usage._meta.db_table} WHERE month >= %s)
        + (SELECT COALESCE(SUM(reserved_tokens), 0) FROM {Message._meta.db_table} WHERE {_LIVE})
"""
