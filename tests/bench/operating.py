"""A crowd in the database → what months of its work leave for the pages of operations.

Figures by hour and day of many endpoints and of all people, limits and what they count, events of
administrators, replies that ended since the last whole hour and replies at work. No server may run
on this database: its upkeep would make figures of its own, and end what nobody writes.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count as counting
from random import Random
from uuid import UUID

from django.contrib.auth.models import Group, User
from django.db import transaction

from chatapp.figures.closing import HOURS_ARE_KEPT
from chatapp.figures.counting import DAY, HOUR, day_of, hour_of
from chatapp.models import (
    AuditEvent,
    Conversation,
    Endpoint,
    FigureClock,
    HealthFigure,
    Limit,
    Message,
    Role,
    Status,
    Usage,
    UsageFigure,
)
from chatapp.models.audit import Action
from chatapp.models.figures import Period
from tests.bench.crowd import Values, drawn, go_on_counting, insert

DAYS, EVENTS, REPLIES = 180, 50_000, 2000
LIVE = 150

_ENDPOINTS = 40
_LIMITED = 300
_ADMINISTRATORS = 8
_ACTIONS = {Action.READ: 90, Action.EXPORT: 3, Action.CHANGE: 4, Action.TEST: 2, Action.CANCEL: 1}
_KINDS = {
    Action.READ: "conversation",
    Action.EXPORT: "conversation",
    Action.CHANGE: "limit",
    Action.TEST: "endpoint",
    Action.CANCEL: "message",
}
_ERRORS = ("rate_limit", "timeout", "overloaded", "server", "network", "auth")


def operate(days: int = DAYS, events: int = EVENTS, replies: int = REPLIES) -> None:
    """Writes figures of so many days before today, and so many events and replies."""
    past = Past(Random(2), days)
    with transaction.atomic():
        insert(HealthFigure, past.health())
        insert(UsageFigure, past.usage())
        FigureClock.objects.create(pk=1, until=past.until)
        past.limit()
        insert(AuditEvent, past.events(events))
        past.reply(replies)
    for model in (HealthFigure, UsageFigure, AuditEvent):
        go_on_counting(model)


class Past:
    """People and endpoints that were at work for some days; figures go to the last but one hour."""

    def __init__(self, chance: Random, days: int) -> None:
        self.chance, self.days = chance, days
        self.now = datetime.now(UTC)
        self.today = day_of(self.now)
        self.until = hour_of(self.now) - HOUR
        self.people = dict(User.objects.order_by("pk").values_list("pk", "username"))
        for number in range(_ENDPOINTS - Endpoint.objects.count()):
            Endpoint.objects.create(name=f"Pool {number}", protocol="openai", url="http://[::1]:9")
        self.endpoints = list(Endpoint.objects.values_list("name", flat=True))

    def health(self) -> Iterator[Values]:
        """Days that are over, and hours for as long as they are kept, with their samples."""
        ids = counting(1)
        day = self.today - self.days * DAY
        while day < self.today:
            for name in self.endpoints:
                yield {"id": next(ids), **self._figure(Period.DAY, day, name, 250)}
            day += DAY
        hour = self.today - HOURS_ARE_KEPT
        while hour < self.until:
            for name in self.endpoints:
                some = self.chance.randint(1, 40)
                yield {"id": next(ids), **self._figure(Period.HOUR, hour, name, some)}
            hour += HOUR

    def usage(self) -> Iterator[Values]:
        """Six people in ten are there on a day, and ask one to three endpoints."""
        ids = counting(1)
        for back in range(self.days, -1, -1):
            for person in self.chance.sample(list(self.people), len(self.people) * 6 // 10):
                for name in self.chance.sample(self.endpoints, self.chance.randint(1, 3)):
                    yield {
                        "id": next(ids),
                        "day": (self.today - back * DAY).date(),
                        "user": person,
                        "endpoint_name": name,
                        "messages": self.chance.randint(1, 20),
                        "input_tokens": self.chance.randint(100, 60_000),
                        "output_tokens": self.chance.randint(50, 20_000),
                    }

    def limit(self) -> None:
        """Groups, and some of the people; the counters of everybody."""
        groups = list(Group.objects.all())
        limits = [Limit(group=group, tokens_a_day=2_000_000) for group in groups]
        some = list(self.people)[: _LIMITED - len(groups)]
        limits += [Limit(user_id=pk, prompts_a_minute=20, tokens_a_month=10**7) for pk in some]
        Limit.objects.bulk_create(limits)
        day, month = self.today.date(), self.today.date().replace(day=1)
        counters = {"minute_from": 0, "prompts": 1, "day": day, "month": month, "running": 0}
        Usage.objects.bulk_create(
            Usage(person_id=pk, day_tokens=pk, month_tokens=9 * pk, reserved=0, **counters)
            for pk in self.people
        )

    def events(self, count: int) -> Iterator[Values]:
        """Spread over the days; nearly all tell of a conversation that was read."""
        people = list(self.people.items())
        begun, step = self.now - self.days * DAY, self.days * DAY / count
        for number in range(count):
            action = drawn(_ACTIONS, self.chance)
            pk, name = self.chance.choice(people[:_ADMINISTRATORS])
            yield {
                "id": number + 1,
                "at": begun + number * step,
                "actor": pk,
                "actor_name": name,
                "action": action.value,
                "kind": _KINDS[action],
                "object_id": str(self._id()),
                "object_name": self.chance.choice(people)[1],
                "address": f"10.0.0.{pk % 250}",
                "detail": {"messages": number % 90},
            }

    def reply(self, count: int) -> None:
        """Replies that ended in the hours without figures, and beside them those at work."""
        since = self.now - self.until
        ended = [self.until + self.chance.random() * since for _ in range(count)]
        turns = [self._turn(at, Status.COMPLETE) for at in sorted(ended)]
        turns += [self._turn(self.now, Status.STREAMING) for _ in range(LIVE)]
        insert(Conversation, (talk for talk, _prompt, _reply in turns))
        insert(Message, (message for _talk, *said in turns for message in said))

    def _figure(self, period: Period, start: datetime, name: str, requests: int) -> Values:
        failed = dict.fromkeys(self.chance.sample(_ERRORS, self.chance.randint(0, 3)), 1)
        first_ms = [round(self.chance.lognormvariate(6, 0.6), 3) for _ in range(requests)]
        samples = {"first_ms": first_ms, "rates": first_ms, "cold_ms": []}
        return {
            "period": period.value,
            "start": start,
            "endpoint_name": name,
            "requests": requests + len(failed),
            "complete": requests,
            "errors": failed,
            "first_p50_ms": first_ms[0],
            "first_p95_ms": max(first_ms),
            "rate_p50": 60.5,
            "rate_p95": 90.5,
            "samples": samples if period == Period.HOUR else {},
        }

    def _turn(self, at: datetime, status: Status) -> tuple[Values, Values, Values]:
        """A conversation of a prompt and its reply, which ended at this time or goes on."""
        times = {"created_at": at, "updated_at": at, "active_at": at, "answered_at": at}
        owner = self.chance.choice(list(self.people))
        talk = {"id": self._id(), "owner": owner, "title": "Just now", **times}
        asked = at - timedelta(seconds=self.chance.uniform(1, 40))
        common = {"conversation": talk["id"], "asked_at": asked, "chosen_at": asked}
        prompt = {**common, "id": self._id(), "role": Role.USER.value, "text": "What is new?"}
        first = asked + timedelta(seconds=0.4)
        reply = {
            **common,
            "id": self._id(),
            "parent": prompt["id"],
            "role": Role.ASSISTANT.value,
            "status": status.value,
            "text": "Not much.",
            "endpoint_name": self.chance.choice(self.endpoints),
            "owner": f"web-{self.chance.randint(1, 4)}:1:bench",
            "request_sent_at": asked,
            "first_token_at": first,
            "arrivals": {"bucket_ms": 160.0, "counts": [3, 5, 4, 6, 5] * 8},
            "output_tokens": 200,
        }
        if status is Status.STREAMING:
            reply |= {"lease_until": self.now + DAY}
        else:
            reply |= {"last_token_at": at, "finished_at": at, "input_tokens": 900}
        return talk, prompt, reply

    def _id(self) -> UUID:
        return UUID(int=self.chance.getrandbits(128), version=4)
