"""Calls are reserved before they are made and settled however they end."""

import datetime
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from chatapp.limits.counters import (
    Reservation,
    are_ahead,
    bring_back,
    reserve,
    reserve_aside,
    service_tokens,
    settle,
    settle_aside,
)
from chatapp.limits.refusals import LimitReached
from chatapp.models import Conversation, Limit, Message, Role, Status, Usage
from tests.limits.conftest import LimitTo, used

A_DAY = datetime.timedelta(days=1)


def want(user: User, tokens: int = 10) -> Reservation:
    return Reservation(user.pk, 5, tokens)


@contextmanager
def refused() -> Iterator[list[str]]:
    """The sentence that the block is refused with."""
    sentences: list[str] = []
    with pytest.raises(LimitReached) as raised, transaction.atomic():
        yield sentences
    sentences.append(str(raised.value))


def ask(user: User, tokens: int = 10) -> Message:
    """As a question does it: the reply's row first, its reservation last, both or neither."""
    with transaction.atomic():
        reply = Message.objects.create(
            conversation=Conversation.objects.create(owner=user),
            role=Role.ASSISTANT,
            status=Status.QUEUED,
            reserved_tokens=tokens,
        )
        reserve(want(user, tokens))
    return reply


def end(reply: Message, tokens: int) -> None:
    with transaction.atomic():
        Message.objects.filter(pk=reply.pk).update(status=Status.COMPLETE)
        settle(want(reply.conversation.owner, reply.reserved_tokens or 0), tokens)


def test_prompts_beyond_the_minutes_are_refused_and_not_counted(
    alice: User, limit_to: LimitTo
) -> None:
    limit_to(PROMPTS_A_MINUTE=3)
    for _ in range(3):
        ask(alice)

    for _ in range(2):
        with refused() as sentences:
            ask(alice)

    assert Usage.objects.get().prompts == 3
    assert "You can send 3 prompts a minute, and none are left until" in sentences[0]


def test_a_new_minute_begins_sixty_seconds_after_the_first_prompt(
    alice: User, limit_to: LimitTo
) -> None:
    limit_to(PROMPTS_A_MINUTE=1)
    ask(alice)
    Usage.objects.update(minute_from=int(time.time()) - 60)

    ask(alice)

    assert Usage.objects.get().prompts == 1
    with refused():
        ask(alice)


def test_a_clock_that_jumped_back_gives_no_prompts_and_is_waited_for_a_minute_only(
    alice: User, limit_to: LimitTo
) -> None:
    limit_to(PROMPTS_A_MINUTE=2)
    ask(alice)
    Usage.objects.update(minute_from=int(time.time()) + 600)

    ask(alice)

    usage = Usage.objects.get()
    assert usage.prompts == 2
    assert usage.minute_from <= time.time() + 1


def test_replies_at_a_time_are_counted_until_they_are_settled(
    alice: User, limit_to: LimitTo
) -> None:
    limit_to(PARALLEL_REPLIES=2)
    first = ask(alice)
    ask(alice)

    with refused() as sentences:
        ask(alice)
    end(first, 7)

    assert "2 replies of yours are being written" in sentences[0]
    ask(alice)


@pytest.mark.parametrize("limit", ["TOKENS_A_DAY", "TOKENS_A_MONTH"])
def test_what_is_reserved_is_spent_until_the_real_use_is_known(
    alice: User, limit: str, limit_to: LimitTo
) -> None:
    limit_to(**{limit: 100})
    first = ask(alice, 60)

    with refused() as sentences:
        ask(alice, 50)
    end(first, 20)
    ask(alice, 80)

    assert "This may take 50 tokens" in sentences[0]
    assert "40 are left until" in sentences[0]
    assert Usage.objects.get().day_tokens == Usage.objects.get().month_tokens == 20
    assert Usage.objects.get().reserved == 80


def test_a_call_that_is_larger_than_the_whole_limit_is_told_so(
    alice: User, limit_to: LimitTo
) -> None:
    limit_to(TOKENS_A_DAY=100)

    with refused() as sentences:
        ask(alice, 101)

    assert "which is more than your 100 a day" in sentences[0]


@pytest.mark.parametrize(
    "limit", ["PROMPTS_A_MINUTE", "PARALLEL_REPLIES", "TOKENS_A_DAY", "SERVICE_TOKENS_A_MONTH"]
)
def test_zero_is_none(alice: User, limit: str, limit_to: LimitTo) -> None:
    limit_to(**{limit: 0})

    with refused() as sentences:
        ask(alice)
    assert sentences[0].startswith("You can read here and send nothing")


def test_a_new_day_and_a_new_month_begin_with_none(alice: User, limit_to: LimitTo) -> None:
    limit_to(TOKENS_A_DAY=100, TOKENS_A_MONTH=1000)
    today = datetime.datetime.now(datetime.UTC).date()
    used(alice, day=today - A_DAY, day_tokens=100, month_tokens=500)
    ask(alice, 50)
    assert (Usage.objects.get().day_tokens, Usage.objects.get().month_tokens) == (0, 500)

    last_month = today.replace(day=1) - A_DAY
    used(alice, month=last_month.replace(day=1), month_tokens=1000)
    ask(alice, 50)

    assert Usage.objects.get().month_tokens == 0


def test_a_clock_that_jumped_back_begins_no_day_twice(alice: User, limit_to: LimitTo) -> None:
    limit_to(TOKENS_A_DAY=100, TOKENS_A_MONTH=100)
    tomorrow = datetime.datetime.now(datetime.UTC).date() + A_DAY
    used(alice, day=tomorrow, day_tokens=95, month=tomorrow, month_tokens=0)

    with refused():
        ask(alice, 10)
    end(ask(alice, 5), 4)

    usage = Usage.objects.get()
    assert (usage.day, usage.day_tokens) == (tomorrow, 99)
    assert (usage.month, usage.month_tokens) == (tomorrow, 4)


def test_what_nobody_writes_any_more_is_not_reserved_when_it_matters(
    alice: User, limit_to: LimitTo
) -> None:
    """As after the deletion of a reply whose process was then killed."""
    limit_to(PARALLEL_REPLIES=1, TOKENS_A_DAY=100)
    used(alice, running=3, reserved=5000)

    ask(alice, 60)

    assert (Usage.objects.get().running, Usage.objects.get().reserved) == (1, 60)


def test_who_deletes_what_is_being_written_gains_no_place(alice: User, limit_to: LimitTo) -> None:
    """A recount leaves deleted replies out; their end is not to be taken off those that go on."""
    limit_to(PARALLEL_REPLIES=1, TOKENS_A_DAY=1000)
    deleted = ask(alice, 60)
    Message.objects.filter(pk=deleted.pk).delete()
    ask(alice, 70)

    settle_aside(want(alice, 60), 9)

    usage = Usage.objects.get()
    assert (usage.running, usage.reserved, usage.day_tokens) == (1, 70, 9)
    with refused():
        ask(alice)


def test_the_service_stops_for_everybody_when_its_month_is_used_up(
    alice: User, bob: User, limit_to: LimitTo
) -> None:
    limit_to(SERVICE_TOKENS_A_MONTH=100)
    used(bob, month_tokens=95)

    with refused() as sentences:
        ask(alice, 10)

    assert "100 that everybody here has together in a month 5 are left until" in sentences[0]


def test_the_tokens_of_a_person_who_is_gone_stay_spent(
    alice: User, bob: User, limit_to: LimitTo
) -> None:
    limit_to(SERVICE_TOKENS_A_MONTH=100)
    used(bob, month_tokens=100)
    bob.delete()

    with refused():
        ask(alice, 10)


def test_ones_own_limit_goes_before_the_groups_and_theirs_before_the_default(
    alice: User, limit_to: LimitTo
) -> None:
    limit_to(PROMPTS_A_MINUTE=1)
    few, many = Group.objects.create(name="few"), Group.objects.create(name="many")
    alice.groups.add(few, many)
    Limit.objects.create(group=few, prompts_a_minute=2)
    Limit.objects.create(group=many, prompts_a_minute=3)
    for _ in range(3):
        ask(alice)
    with refused():
        ask(alice)

    own = Limit.objects.create(user=alice, prompts_a_minute=4)
    ask(alice)
    with refused():
        ask(alice)

    own.prompts_a_minute = None
    own.save()
    for _ in range(5):
        ask(alice)


def test_an_unlimited_group_is_the_most_generous(alice: User, limit_to: LimitTo) -> None:
    for name, most in (("few", 1), ("free", None)):
        group = Group.objects.create(name=name)
        alice.groups.add(group)
        Limit.objects.create(group=group, prompts_a_minute=most)

    for _ in range(3):
        ask(alice)


def test_superusers_are_limited_unless_they_are_set_free(alice: User, limit_to: LimitTo) -> None:
    limit_to(PROMPTS_A_MINUTE=0)
    alice.is_superuser = True
    alice.save()
    with refused():
        ask(alice)

    Limit.objects.create(user=alice)

    ask(alice)


def test_a_title_takes_tokens_and_is_no_prompt(alice: User, limit_to: LimitTo) -> None:
    limit_to(PROMPTS_A_MINUTE=0, PARALLEL_REPLIES=0, TOKENS_A_DAY=100)
    with transaction.atomic():
        reserve_aside(want(alice, 60))

    with refused():
        reserve_aside(want(alice, 60))

    assert (Usage.objects.get().prompts, Usage.objects.get().reserved) == (0, 60)


def test_a_reservation_costs_one_statement_and_none_without_limits(
    alice: User, limit_to: LimitTo
) -> None:
    ask(alice)  # looks whether anybody has limits of their own
    limit_to(PROMPTS_A_MINUTE=10, PARALLEL_REPLIES=2, TOKENS_A_DAY=1000, TOKENS_A_MONTH=1000)

    with transaction.atomic(), CaptureQueriesContext(connection) as limited:
        reserve(want(alice))
    with transaction.atomic(), CaptureQueriesContext(connection) as unlimited:
        reserve(Reservation(alice.pk, 5, None))

    assert len(limited) == 1
    assert len(unlimited) == 0


def test_a_clock_that_was_far_ahead_locks_nobody_out_and_gives_nothing_back(
    alice: User, limit_to: LimitTo
) -> None:
    limit_to(TOKENS_A_DAY=100, TOKENS_A_MONTH=1000)
    today = datetime.datetime.now(datetime.UTC).date()
    far = today.replace(year=today.year + 9, month=1, day=1)
    used(alice, day=far, day_tokens=95, month=far, month_tokens=300)
    with refused():
        ask(alice, 10)

    assert are_ahead() and bring_back() == 1

    usage = Usage.objects.get()
    assert (usage.day, usage.day_tokens) == (today, 95)
    assert (usage.month, usage.month_tokens) == (today.replace(day=1), 300)
    assert service_tokens(usage.month) == 300
    with refused():
        ask(alice, 10)

    Usage.objects.update(day=today - A_DAY)  # as it is tomorrow
    end(ask(alice, 10), 4)
    assert Usage.objects.get().day_tokens == 4


def test_what_stands_at_today_or_tomorrow_is_not_brought_back(alice: User, bob: User) -> None:
    today = datetime.datetime.now(datetime.UTC).date()
    used(alice, day=today, day_tokens=5)
    used(bob, day=today + A_DAY, day_tokens=6, month=today + A_DAY)

    assert not are_ahead() and bring_back() == 0

    assert set(Usage.objects.values_list("day", "day_tokens")) == {(today, 5), (today + A_DAY, 6)}


@pytest.mark.parametrize(
    "limits", [{"TOKENS_A_DAY": 30}, {"SERVICE_TOKENS_A_MONTH": 30}, {"PROMPTS_A_MINUTE": 3}]
)
def test_of_many_at_once_only_those_that_fit_are_let_through(
    alice: User, limits: dict[str, int], limit_to: LimitTo
) -> None:
    limit_to(**limits)
    outcomes = at_once(40, lambda: ask(alice))

    assert outcomes.count("asked") == 3
    assert outcomes.count("refused") == 37


def at_once(count: int, work: Callable[[], Any]) -> list[str]:
    """Does it on eight threads, each with a connection of its own."""
    threads = 8
    everyone = threading.Barrier(threads)

    def several() -> list[str]:
        try:
            everyone.wait(timeout=30)
            return [once() for _ in range(count // threads)]
        finally:
            connection.close()

    def once() -> str:
        try:
            work()
        except LimitReached:
            return "refused"
        return "asked"

    with ThreadPoolExecutor(threads) as pool:
        futures = [pool.submit(several) for _ in range(threads)]
        return [outcome for future in futures for outcome in future.result()]
