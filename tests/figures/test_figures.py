"""Stored figures, and those counted at once, are what the rows say."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models import DateTimeField, Value
from django.utils import timezone

from chatapp.database import read
from chatapp.figures import closing, reading
from chatapp.figures.counting import day_of, hour_of
from chatapp.figures.tally import percentile
from chatapp.generation import upkeep
from chatapp.generation.turns import resume
from chatapp.models import Conversation, Endpoint, FigureClock, HealthFigure, Message, UsageFigure
from chatapp.models.figures import Period
from tests.figures import plainly
from tests.figures.traffic import reply, some_traffic

FIELDS = """
    requests complete stopped interrupted errors cold cold_p50_ms
    first_p50_ms first_p95_ms rate_p50 rate_p95
""".split()  # noqa: SIM905 - a list of words


@pytest.fixture
def now(alice: User) -> datetime:
    """The end of some traffic, in the hour that goes on."""
    bob = User.objects.create_user("bob")
    now = timezone.now()
    traffic = some_traffic([alice, bob], now - timedelta(days=3), now, 300)
    latest = reply(traffic[0].conversation, now - timedelta(seconds=3))
    Message.objects.bulk_create([latest])
    return now


def close_all() -> None:
    while (due := closing.next_closing()) is not None:
        closing.store(due)


def told(figures: list[HealthFigure]) -> dict[tuple[datetime, str], dict[str, Any]]:
    return {
        (f.start, f.endpoint_name): {name: getattr(f, name) for name in FIELDS} for f in figures
    }


def plain(figures: dict[Any, dict[str, Any]]) -> dict[Any, dict[str, Any]]:
    return {key: {name: row[name] for name in FIELDS} for key, row in figures.items()}


def close_to(figures: dict[Any, dict[str, Any]]) -> dict[Any, Any]:
    """Equal but for the last digit of a rate."""
    return {
        key: row | {name: pytest.approx(row[name], abs=0.011) for name in ("rate_p50", "rate_p95")}
        for key, row in figures.items()
    }


def test_hours_are_what_their_rows_say(now: datetime) -> None:
    close_all()

    shown = told(reading.by_hour(now - timedelta(days=4), reading.clock()))
    by_hour = plainly.hourly(plainly.rows())

    assert any(row["cold"] for row in by_hour.values())
    assert shown == close_to(plain(by_hour))
    assert HealthFigure.objects.filter(period=Period.HOUR).count() < len(shown), "one goes on"


def test_percentiles_of_a_day_are_those_of_its_replies(now: datetime) -> None:
    close_all()

    shown = told(reading.by_day(now - timedelta(days=5), reading.clock()))

    assert shown == close_to(plain(plainly.daily(plainly.rows())))
    stored = HealthFigure.objects.filter(period=Period.DAY)
    assert 0 < stored.count() < len(shown), "today is counted at once"
    assert not any(figure.samples for figure in stored)


def test_usage_is_the_sum_of_the_rows(now: datetime, alice: User) -> None:
    close_all()
    clock, today = reading.clock(), now.astimezone(UTC).date()
    fresh = reading.usage_since(clock, today - timedelta(days=9), today)
    found = [*UsageFigure.objects.all(), *fresh]

    rows = Message.objects.filter(owner="here:1:abcd")
    mine = rows.filter(conversation__owner=alice)
    assert sum(f.messages for f in found) == rows.count()
    assert sum(f.messages for f in found if f.user_id == alice.pk) == mine.count()
    assert sum(f.input_tokens for f in found) == 30 * rows.count()
    assert sum(f.output_tokens for f in found) == sum(r.output_tokens or 0 for r in rows)


@pytest.mark.parametrize("hours_ago", [0, 3])
def test_what_a_reply_took_before_it_was_continued_counts_once(
    alice: User, conversation: Conversation, hours_ago: int
) -> None:
    fields = {"url": "http://127.0.0.1:1/v1", "protocol": "openai", "model": "m"}
    endpoint = Endpoint.objects.create(name="fast", **fields)
    prompt = Message.objects.create(conversation=conversation, role="user", text="Count.")
    begun = reply(conversation, timezone.now() - timedelta(hours=hours_ago, seconds=5))
    begun.parent, begun.endpoint = prompt, endpoint
    begun.text, begun.status = "One,", "stopped"
    begun.save()
    close_all()

    resume(alice, begun.pk, process="here:2:abcd")
    ended = {"status": "complete", "input_tokens": 65, "output_tokens": 140}
    Message.objects.filter(pk=begun.pk).update(finished_at=timezone.now(), **ended)

    today = timezone.now().date()
    fresh = reading.usage_since(reading.clock(), today - timedelta(days=2), today)
    found = [*UsageFigure.objects.all(), *fresh]
    assert sum(figure.input_tokens for figure in found) == 65
    assert sum(figure.output_tokens for figure in found) == 140


def test_figures_stay_when_messages_and_people_are_deleted(now: datetime, alice: User) -> None:
    close_all()
    before = told(list(HealthFigure.objects.all())), UsageFigure.objects.count()

    Message.objects.all().delete()
    alice.delete()
    close_all()

    assert (told(list(HealthFigure.objects.all())), UsageFigure.objects.count()) == before


def test_of_two_processes_that_count_the_same_hour_one_stores_it(now: datetime) -> None:
    closing.store(closing.next_closing())  # type: ignore[arg-type]
    mine, theirs = closing.next_closing(), closing.next_closing()
    assert mine is not None and theirs is not None and mine.health

    assert [closing.store(mine), closing.store(theirs)] == [True, False]
    assert HealthFigure.objects.filter(period=Period.HOUR).count() == len(mine.health)


def test_an_hour_is_stored_only_when_it_is_over_and_settled(now: datetime) -> None:
    close_all()

    until_when = FigureClock.objects.get().until
    assert until_when == hour_of(timezone.now() - closing.SETTLED)
    assert not HealthFigure.objects.filter(period=Period.HOUR, start__gte=until_when).exists()


def test_copies_and_imports_are_no_traffic(conversation: Conversation) -> None:
    sent_at = timezone.now() - timedelta(minutes=1)
    Message.objects.bulk_create([reply(conversation, sent_at, owner="")])

    assert reading.by_hour(sent_at - timedelta(hours=2), reading.clock()) == []


def test_a_clock_that_was_set_back_makes_no_negative_times(conversation: Conversation) -> None:
    sent_at = timezone.now() - timedelta(seconds=30)
    replies = [reply(conversation, sent_at, -400), reply(conversation, sent_at, 500, -5)]
    replies.append(reply(conversation, sent_at + timedelta(days=3)))  # and one from the future
    Message.objects.bulk_create(replies)
    close_all()

    figures = reading.by_hour(sent_at - timedelta(hours=2), reading.clock())

    assert sum(figure.requests for figure in figures) == 3
    assert [f.first_p50_ms for f in figures] == [500, 400]


def test_after_a_clock_that_was_ahead_hours_count_again(
    conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = timezone.now()
    before = reply(conversation, now - timedelta(hours=3))
    ahead = reply(conversation, now + timedelta(hours=20))
    Message.objects.bulk_create([before, ahead])
    monkeypatch.setattr(closing, "Now", lambda: Value(now + timedelta(hours=26), DateTimeField()))
    close_all()
    monkeypatch.undo()
    assert FigureClock.objects.get().until > now

    shown = reading.by_hour(now - timedelta(hours=5), reading.clock())
    late = reply(conversation, timezone.now() - timedelta(seconds=3))
    Message.objects.bulk_create([late])
    at_once = reading.by_hour(now - timedelta(hours=5), reading.clock())
    close_all()

    assert len(at_once) == len(shown) + 1, "what ends now is shown"
    assert FigureClock.objects.get().until <= timezone.now()
    assert [f.start for f in HealthFigure.objects.filter(period="hour")] == [
        hour_of(before.finished_at)  # type: ignore[arg-type]
    ]
    days = [figure.day for figure in UsageFigure.objects.all()]
    assert days == [before.finished_at.astimezone(UTC).date()]  # type: ignore[union-attr]


def test_what_a_clock_counted_ahead_on_the_same_day_is_counted_once(
    conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    noon = day_of(timezone.now()) - timedelta(hours=12)
    times = [noon - timedelta(hours=2), noon + timedelta(hours=2)]
    Message.objects.bulk_create(reply(conversation, at) for at in times)

    for hours in (5, 0, 6):
        at = noon + timedelta(hours=hours, minutes=40)
        monkeypatch.setattr(closing, "Now", lambda at=at: Value(at, DateTimeField()))
        close_all()

    assert sum(figure.messages for figure in UsageFigure.objects.all()) == 2
    hours_counted = HealthFigure.objects.filter(period=Period.HOUR)
    assert [figure.requests for figure in hours_counted] == [1, 1]


def test_a_clock_that_was_ahead_before_anything_was_counted_goes_back(
    conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = timezone.now() + timedelta(days=10)
    monkeypatch.setattr(closing, "Now", lambda: Value(later, DateTimeField()))
    close_all()
    monkeypatch.undo()

    close_all()

    assert FigureClock.objects.get().until <= timezone.now()


def test_an_endpoint_that_nearly_always_starts_cold_shows_it(conversation: Conversation) -> None:
    at = timezone.now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=30)
    cold = [reply(conversation, at + timedelta(hours=n), 40_000) for n in range(0, 20, 2)]
    warm = reply(conversation, at + timedelta(minutes=2), 300)
    Message.objects.bulk_create([*cold, warm])

    close_all()

    figures = HealthFigure.objects.filter(period=Period.HOUR)
    assert [figure.cold for figure in figures] == [1] * 10


def test_a_late_first_token_is_a_cold_start_only_after_a_silence(
    conversation: Conversation,
) -> None:
    at = timezone.now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=3)
    usual = [reply(conversation, at + timedelta(seconds=20 * n)) for n in range(6)]
    busy = reply(conversation, at + timedelta(minutes=3), 30_000, output_tokens=1)
    cold = [reply(conversation, at + timedelta(minutes=20 + n / 10), 45_000) for n in range(2)]
    Message.objects.bulk_create([*usual, busy, *cold])

    close_all()

    figure = HealthFigure.objects.get(period=Period.HOUR)
    assert (figure.cold, figure.cold_p50_ms) == (2, 45_000)
    assert (figure.first_p50_ms, figure.first_p95_ms) == (400, 30_000)


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [([], 50, None), ([7], 95, 7), ([3, 1, 2], 50, 2), ([1, 2], 50, 1), (range(1, 101), 95, 95)],
)
def test_a_percentile_is_one_of_the_values(
    values: list[float], percent: int, expected: float | None
) -> None:
    assert percentile(values, percent) == expected


async def test_the_upkeep_catches_up(conversation: Conversation) -> None:
    hours = [timezone.now() - timedelta(hours=hours) for hours in (30, 3, 2)]
    await Message.objects.abulk_create(reply(conversation, at) for at in hours)

    upkeep.start()

    async with asyncio.timeout(30):
        while not await read(_is_caught_up):
            await asyncio.sleep(0.05)
    assert await HealthFigure.objects.filter(period=Period.HOUR).acount() == 3


def _is_caught_up() -> bool:
    clock = FigureClock.objects.first()
    return clock is not None and clock.until == hour_of(timezone.now() - closing.SETTLED)
