"""An empty database → a thousand people's conversations and months of their use in it, and what the
admin's pages cost.

It runs in a process of its own, on an SQLite file that is removed afterwards, or on the database
of DATABASE_URL, which is filled if it is empty: `python -m tests.stores postgres -- python -m
tests.bench --admin`. Pages are asked for through the whole of Django, without a network; of a
download the first piece counts, as the rest is made no faster than it is taken.
"""

import json
import logging
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from logging.handlers import BufferingHandler
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any

from tests.bench.processes import ROOT

if TYPE_CHECKING:
    from django.test import Client

MESSAGES = 1_000_000
BAR_MS, BAR_QUERIES = 300.0, 12

# What it is → its address. {user} has most conversations, {long} is the longest of them; {begun} is
# a day about half a year ago.
_LIST = "/admin/chatapp/conversation/"
_USAGE = "/admin/usage/"
_EVENTS = "/admin/chatapp/auditevent/"
PAGES = {
    "the list": _LIST,
    "page 100": f"{_LIST}?p=100",
    "page 200": f"{_LIST}?p=200",
    "by messages": f"{_LIST}?o=-4",
    "by tokens": f"{_LIST}?o=-5",
    "by first token": f"{_LIST}?o=-6",
    "by oldest activity": f"{_LIST}?o=9",
    "user": f"{_LIST}?user={{user}}",
    "user by tokens": f"{_LIST}?user={{user}}&o=-5",
    "group": f"{_LIST}?group={{group}}",
    "endpoint": f"{_LIST}?endpoint=Claude",
    "model": f"{_LIST}?model=qwen3-4b",
    "status error": f"{_LIST}?status=error",
    "being written": f"{_LIST}?status=live",
    "has an error": f"{_LIST}?error=yes",
    "good replies": f"{_LIST}?feedback=up",
    "with a reason": f"{_LIST}?feedback=reason",
    "slow first token": f"{_LIST}?first_token=5s",
    "slow, and bad": f"{_LIST}?first_token=10s&feedback=down&error=yes",
    "more than 200 messages": f"{_LIST}?length=201",
    "deleted": f"{_LIST}?deleted=yes",
    "a year": f"{_LIST}?when={{year}}",
    "a day": f"{_LIST}?when={{day}}",
    "from a day on": f"{_LIST}?from={{day}}&group={{group}}&status=complete",
    "search: one in 20,000": f"{_LIST}?q=xylophone",
    "search: one in 1,000": f"{_LIST}?q=lighthouse",
    "search: one in 100": f"{_LIST}?q=hovercraft",
    "search: one in 30": f"{_LIST}?q=eel",
    "search: one in 10": f"{_LIST}?q=tea",
    "search: every second": f"{_LIST}?q=model",
    "search: nearly every": f"{_LIST}?q=the",
    "search: one letter": f"{_LIST}?q=m",
    "search: a prefix": f"{_LIST}?q=hover",
    "search: two words": f"{_LIST}?q=lighthouse+model",
    "search: nothing": f"{_LIST}?q=unfindable",
    "search: operators": f"{_LIST}?q=%22the%22+AND+-model*+%28",
    "search: of a user": f"{_LIST}?q=hovercraft&user={{user}}",
    "search: and filter": f"{_LIST}?q=tea&feedback=down&o=-4",
    "a transcript": f"{_LIST}{{short}}/change/",
    "of 1,000 messages": f"{_LIST}{{long}}/change/",
    "its middle": f"{_LIST}{{long}}/change/?page=10",
    "its path": f"{_LIST}{{long}}/change/?show=path&page=20",
    "running": "/admin/running/",
    "running: of an endpoint": "/admin/running/?endpoint=Claude",
    **{f"health: {span}": f"/admin/health/?span={span}" for span in ("hours", "month", "quarter")},
    "health: of an endpoint": "/admin/health/?span=quarter&endpoint=Claude",
    "usage: 30 days": _USAGE,
    **{f"usage: by {by}": f"{_USAGE}?by={by}" for by in ("endpoint", "day")},
    "usage: of a user": f"{_USAGE}?user={{person}}&by=day",
    "usage: of an endpoint": f"{_USAGE}?endpoint=Claude&by=user&sort=name",
    "usage: half a year": f"{_USAGE}?first={{begun}}",
    "usage: half a year, endpoints": f"{_USAGE}?first={{begun}}&by=endpoint",
    "usage: half a year, days": f"{_USAGE}?first={{begun}}&by=day",
    "usage.csv": "/admin/usage.csv",
    "usage.csv: half a year": "/admin/usage.csv?first={begun}",
    "usage.csv: of a user": "/admin/usage.csv?first={begun}&user={person}",
    "audit": _EVENTS,
    "audit: page 100": f"{_EVENTS}?p=100",
    "audit: exports": f"{_EVENTS}?action__exact=export",
    "audit: reads": f"{_EVENTS}?action__exact=read",
    "audit: of a kind": f"{_EVENTS}?kind=endpoint",
    "audit: of an administrator": f"{_EVENTS}?actor__id__exact={{person}}",
    "audit: a month": f"{_EVENTS}?at__year={{begun_year}}&at__month={{begun_month}}",
    "audit: search": f"{_EVENTS}?q=person77",
    "audit: search, nothing": f"{_EVENTS}?q=unfindable",
    "limits": "/admin/chatapp/limit/",
    "limits: search": "/admin/chatapp/limit/?q=person1",
    "limits: use": "/admin/chatapp/usage/",
    "limits: use, page 10": "/admin/chatapp/usage/?p=10",
    "endpoints": "/admin/chatapp/endpoint/",
    "endpoints: search": "/admin/chatapp/endpoint/?q=pool",
}

_ROUNDS, _LIMIT_S = 20, 8.0
_CONTROL = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE", "SET ")


@dataclass(frozen=True, slots=True)
class Page:
    """One page, asked for up to `_ROUNDS` times; `cpu_ms` is what this process itself took."""

    title: str
    status: int
    queries: int
    p50_ms: float
    p95_ms: float
    cpu_ms: float


@dataclass(frozen=True, slots=True)
class Administering:
    database: str
    messages: int
    conversations: int
    filling_s: float
    summing_s: float
    load: float
    pages: list[Page]


def administering(count: int) -> Administering:
    """Fills a database and asks for every page."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        environment = {
            **os.environ,
            "SECRET_KEY": secrets.token_urlsafe(50),
            "HTTPS": "off",
            "DATABASE_URL": os.environ.get("DATABASE_URL") or f"sqlite:///{name}/db.sqlite3",
            "DJANGO_SETTINGS_MODULE": "chatapp.settings",
        }
        command = [sys.executable, "-m", "tests.bench.administering", str(count)]
        done = subprocess.run(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True
        )
    found = json.loads(done.stdout)
    return Administering(**found | {"pages": [Page(**page) for page in found["pages"]]})


def addresses() -> dict[str, str]:
    """`PAGES` with what is in the database."""
    from django.contrib.auth.models import Group, User
    from django.utils import timezone

    from chatapp.models import Summary

    longest = Summary.objects.order_by("-messages")
    newest = Summary.objects.order_by("-active_at")
    day = newest[newest.count() // 2].active_at
    begun = timezone.now().date() - timedelta(days=179)
    known = {
        "user": "person0",
        "person": User.objects.get(username="person0").pk,
        "begun": begun,
        "begun_year": begun.year,
        "begun_month": begun.month,
        "group": Group.objects.order_by("name")[0].pk,
        "long": longest[0].pk,
        "short": longest.filter(messages__lte=10)[0].pk,
        "year": day.year,
        "day": day.date(),
    }
    return {title: address.format(**known) for title, address in PAGES.items()}


def auditor() -> "Client":
    """Somebody who may view everything, what runs as well, and is no superuser; signed in."""
    from django.contrib.auth.models import Permission, User
    from django.db.models import Q
    from django.test import Client

    person = User.objects.create_user(f"auditor-{secrets.token_hex(4)}", is_staff=True)
    rights = Q(codename__startswith="view_") | Q(codename="operate")
    person.user_permissions.set(Permission.objects.filter(rights))
    client = Client()
    client.force_login(person, "django.contrib.auth.backends.ModelBackend")
    return client


def queries_of(client: "Client", address: str) -> tuple[int, int]:
    """The status of the answer, and how many queries it took."""
    with _queries() as asked:
        status = _asked_for(client, address)
    return status, sum(not sql.startswith(_CONTROL) for sql in asked)


def _main(count: int) -> dict[str, Any]:
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection

    from chatapp.models import Conversation, Message
    from chatapp.models.summary import catch_up
    from tests.bench.crowd import fill
    from tests.bench.operating import operate

    settings.ALLOWED_HOSTS = ["testserver"]
    call_command("migrate", verbosity=0)
    call_command("collectstatic", verbosity=0, interactive=False)
    began = time.perf_counter()
    if not Conversation.objects.exists():
        fill(count)
        operate()
    filled = time.perf_counter()
    while catch_up(500):
        pass
    summed = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # as the database does by itself in time
    client = auditor()
    pages = [asdict(_timed(client, *page)) for page in addresses().items()]
    return {
        "database": connection.vendor,
        "messages": Message.objects.count(),
        "conversations": Conversation.objects.count(),
        "filling_s": filled - began,
        "summing_s": summed - filled,
        "load": os.getloadavg()[0],
        "pages": pages,
    }


def _timed(client: "Client", title: str, address: str) -> Page:
    status, queries = queries_of(client, address)
    times, cpu = zip(*_times(client, address), strict=True)
    return Page(title, status, queries, median(times), quantiles(times, n=20)[-1], median(cpu))


def _times(client: "Client", address: str) -> Iterator[tuple[float, float]]:
    """Milliseconds that passed, and of this process; at least two."""
    ends = time.perf_counter() + _LIMIT_S
    for n in range(_ROUNDS):
        began, cpu = time.perf_counter(), time.process_time()
        if n > 1 and began > ends:
            return
        _asked_for(client, address)
        yield (time.perf_counter() - began) * 1000, (time.process_time() - cpu) * 1000


def _asked_for(client: "Client", address: str) -> int:
    """The status of the answer, when it is there, or the first piece of it."""
    from asgiref.sync import async_to_sync
    from django.http import StreamingHttpResponse

    answer = client.get(address)
    if isinstance(answer, StreamingHttpResponse):
        async_to_sync(_first)(aiter(answer))
    return answer.status_code


async def _first(pieces: AsyncIterator[bytes]) -> bytes:
    return await anext(pieces)


@contextmanager
def _queries() -> Iterator[list[str]]:
    """In the list, when it is over: the SQL of all threads, as pages are read on several."""
    from django.test import override_settings

    asked: list[str] = []
    log, records = logging.getLogger("django.db.backends"), BufferingHandler(sys.maxsize)
    level, propagates = log.level, log.propagate
    log.setLevel(logging.DEBUG)
    log.propagate = False
    log.addHandler(records)
    try:
        with override_settings(DEBUG=True):  # without it Django tells no queries
            yield asked
    finally:
        log.removeHandler(records)
        log.setLevel(level)
        log.propagate = propagates
        asked += [record.__dict__["sql"] for record in records.buffer]


if __name__ == "__main__":
    json.dump(_main(int(sys.argv[1])), sys.stdout)
