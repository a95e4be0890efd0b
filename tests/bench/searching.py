"""An empty database → 100,000 messages of several people in it, and how long searches take there.

It runs in a process of its own, on an SQLite file that is removed afterwards, or on the database
of DATABASE_URL, which must be empty: `python -m tests.stores postgres -- python -m tests.bench
--search`.
"""

import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from random import Random
from statistics import median, quantiles
from typing import Any

from tests.bench.processes import ROOT

MESSAGES = 100_000
BAR_MS = 100.0

_ROUNDS = 30
_MESSAGES_A_CONVERSATION = 20
_ROWS_AT_ONCE = 2000
# Each person's part of the conversations; the first one searches.
_SHARES = {"alice": 0.6, "bob": 0.3, "carol": 0.1}
_QUERIES = {
    "a rare word": "xylophone",
    "a word that half of them have": "model",
    "a word that all of them have": "the",
    "one letter": "m",
    "a prefix": "qua",
    "two words": "model quality",
    "a common and a rare one": "the xylophone",
    "a word that only others have": "hovercraft",
    "nothing to be found": "unfindable",
    "words of a title": "lighthouse plans",
    "a phrase in Chinese": "机器学习",
    "an accent": "naïve café",
}
_RARE_EVERY, _CHINESE_EVERY, _ACCENT_EVERY, _TITLE_EVERY = 2500, 200, 150, 100
_SYLLABLES = ("ba", "co", "di", "fu", "ga", "he", "lo", "mi", "nu", "pa", "qua", "re", "si", "to")
_CHINESE = "我们用很多数据来训练机器学习的模型，结果很好。"


@dataclass(frozen=True, slots=True)
class Query:
    """One search, timed `_ROUNDS` times."""

    title: str
    hits: int
    p50_ms: float
    p95_ms: float


@dataclass(frozen=True, slots=True)
class Searches:
    database: str
    queries: list[Query]


def searches() -> Searches:
    """Fills a database and searches it."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        environment = {
            **os.environ,
            "SECRET_KEY": secrets.token_urlsafe(50),
            "DATABASE_URL": os.environ.get("DATABASE_URL") or f"sqlite:///{name}/db.sqlite3",
            "DJANGO_SETTINGS_MODULE": "chatapp.settings",
        }
        done = subprocess.run(
            [sys.executable, "-m", "tests.bench.searching"],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    found = json.loads(done.stdout)
    return Searches(found["database"], [Query(**query) for query in found["queries"]])


def _main() -> dict[str, Any]:
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0)
    _fill()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # as the database does by itself in time
    queries = [asdict(_timed(title, query)) for title, query in _QUERIES.items()]
    return {"database": connection.vendor, "queries": queries}


def _timed(title: str, query: str) -> Query:
    from django.contrib.auth.models import User

    from chatapp.library.search import search

    alice = User.objects.get(username="alice")
    hits = search(alice, query)
    times = []
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        search(alice, query)
        times.append((time.perf_counter() - began) * 1000)
    return Query(title, len(hits), median(times), quantiles(times, n=20)[-1])


def _fill() -> None:
    from django.contrib.auth.models import User

    from chatapp.models import Conversation, Message
    from chatapp.models.search import index

    chance = Random(1)
    people = [User.objects.create(username=name) for name in _SHARES]
    owners = chance.choices(people, list(_SHARES.values()), k=MESSAGES // _MESSAGES_A_CONVERSATION)
    conversations = Conversation.objects.bulk_create(
        [Conversation(owner=owner, title=_title(n, chance)) for n, owner in enumerate(owners)],
        batch_size=_ROWS_AT_ONCE,
    )
    sentences = [_sentence(chance) for _ in range(20_000)]
    for first in range(0, MESSAGES, _ROWS_AT_ONCE):
        rows = []
        for n in range(first, first + _ROWS_AT_ONCE):
            conversation = conversations[n // _MESSAGES_A_CONVERSATION]
            text = _text(n, chance, sentences, is_alices=conversation.owner == people[0])
            role = "assistant" if n % 2 else "user"
            rows.append(Message(conversation=conversation, role=role, text=text))
        messages = Message.objects.bulk_create(rows)
        index({message.pk: message.text for message in messages})


def _title(n: int, chance: Random) -> str:
    return "Plans for the lighthouse" if n % _TITLE_EVERY == 0 else _sentence(chance)[:60]


def _text(n: int, chance: Random, sentences: list[str], *, is_alices: bool) -> str:
    parts = chance.choices(sentences, k=chance.randint(2, 8))
    if n % 2:
        parts.append("The model does what it can.")
    if not is_alices:
        parts.append("A hovercraft full of eels.")
    if n % _RARE_EVERY == 0:
        parts.append("Somebody plays the xylophone.")
    if n % _CHINESE_EVERY == 0:
        parts.append(_CHINESE)
    if n % _ACCENT_EVERY == 0:
        parts.append("A naïve question in the Café.")
    return " ".join(parts)


def _sentence(chance: Random) -> str:
    """Words of two to four syllables, short ones more often, as in a language."""
    count = chance.randint(8, 24)
    lengths = chance.choices((1, 2, 2, 3, 4), k=count)
    words = ("".join(chance.choices(_SYLLABLES, k=length)) for length in lengths)
    return "The " + " ".join(words) + chance.choice((".", "?", ", the quality of it."))


if __name__ == "__main__":
    json.dump(_main(), sys.stdout)
