"""An empty database → a thousand people's conversations in it, and what the admin's pages cost.

It runs in a process of its own, on an SQLite file that is removed afterwards, or on the database
of DATABASE_URL, which is filled if it is empty: `python -m tests.stores postgres -- python -m
tests.bench --admin`. Pages are asked for through the whole of Django, without a network.
"""

import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any

from tests.bench.processes import ROOT

if TYPE_CHECKING:
    from django.test import Client

MESSAGES = 1_000_000
BAR_MS, BAR_QUERIES = 300.0, 12

# What it is → its address. {user} has most conversations, {long} is the longest of them.
_LIST = "/admin/chatapp/conversation/"
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
    "being written (none)": f"{_LIST}?status=live",
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
    from django.contrib.auth.models import Group

    from chatapp.models import Summary

    longest = Summary.objects.order_by("-messages")
    newest = Summary.objects.order_by("-active_at")
    day = newest[newest.count() // 2].active_at
    known = {
        "user": "person0",
        "group": Group.objects.order_by("name")[0].pk,
        "long": longest[0].pk,
        "short": longest.filter(messages__lte=10)[0].pk,
        "year": day.year,
        "day": day.date(),
    }
    return {title: address.format(**known) for title, address in PAGES.items()}


def auditor() -> "Client":
    """Somebody who may view everything and is no superuser, signed in."""
    from django.contrib.auth.models import Permission, User
    from django.test import Client

    person = User.objects.create_user(f"auditor-{secrets.token_hex(4)}", is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client = Client()
    client.force_login(person, "django.contrib.auth.backends.ModelBackend")
    return client


def queries_of(client: "Client", address: str) -> tuple[int, int]:
    """The status of the answer, and how many queries it took."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        answer = client.get(address)
    asked = [q["sql"] for q in captured.captured_queries if not q["sql"].startswith(_CONTROL)]
    return answer.status_code, len(asked)


def _main(count: int) -> dict[str, Any]:
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection

    from chatapp.models import Conversation, Message
    from chatapp.models.summary import catch_up
    from tests.bench.crowd import fill

    settings.ALLOWED_HOSTS = ["testserver"]
    call_command("migrate", verbosity=0)
    call_command("collectstatic", verbosity=0, interactive=False)
    began = time.perf_counter()
    if not Conversation.objects.exists():
        fill(count)
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
        client.get(address)
        yield (time.perf_counter() - began) * 1000, (time.process_time() - cpu) * 1000


if __name__ == "__main__":
    json.dump(_main(int(sys.argv[1])), sys.stdout)
