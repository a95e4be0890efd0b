"""Many messages, exported by an administrator while others chat → what it costs the server and
them: memory, the time to the first byte, and how much later their tokens come."""

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import uvloop

from tests.bench import servers
from tests.bench.figures import Figures, figures
from tests.bench.orders import Order
from tests.bench.processes import ROOT, usage, wait_for_quiet
from tests.bench.swarm import round_of

STREAMS = 20
RATE = 50
KINDS = ("jsonl", "csv", "md")
GROWTH_BAR_MIB, FIRST_BYTE_BAR_S, DELAY_BAR_MS = 50.0, 1.0, 25.0

MESSAGES = 100_000
_MESSAGES_A_CONVERSATION = 20
_ROWS_AT_ONCE = 2000
_SECONDS = 10.0
_PATIENCE_S = 20.0
_SAMPLE_S = 0.05
_BEGUN = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Export:
    """Exports of one kind: one with nobody else there, and as many as there was time for beside
    `STREAMS` people. `growth_mib` is what the process held more meanwhile, `delay_ms` how much
    later than without them the people's tokens came."""

    kind: str
    mib: float
    seconds: float
    first_byte_s: float
    growth_mib: float
    beside: Figures
    beside_first_byte_s: float
    beside_growth_mib: float
    delay_ms: float


@dataclass(frozen=True, slots=True)
class Exports:
    """`alone` is what `STREAMS` people had without exports beside them."""

    alone: Figures
    kinds: list[Export]


def exports(messages: int) -> Exports:
    """Serves so many messages, and exports them."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name, servers.model(Path(name)) as model:
        keys: list[str] = []
        served = servers.chatapp(
            f"http://127.0.0.1:{model}",
            (len(KINDS) + 1) * STREAMS + 1,
            Path(name),
            fill=lambda environment: keys.append(_filled(environment, messages)),
        )
        with served as server:
            wish = {"origin": f"http://127.0.0.1:{server.port}", "cookie": keys[0]}
            wait_for_quiet(_PATIENCE_S)
            _round(server, slice(-1, None), model, seconds=2)
            quiet = [_exported(server.pid, wish, kind) for kind in KINDS]
            wait_for_quiet(_PATIENCE_S)
            alone = _round(server, _crowd(0), model)
            kinds = []
            for number, (figure, growth_mib) in enumerate(quiet):
                wait_for_quiet(_PATIENCE_S)
                with _watched(server.pid) as growth, _exporting(wish, KINDS[number]) as done:
                    beside = _round(server, _crowd(number + 1), model)
                kinds.append(
                    Export(
                        KINDS[number],
                        figure["bytes"] / 2**20,
                        figure["seconds"],
                        figure["first_byte_s"],
                        growth_mib,
                        beside,
                        max(export["first_byte_s"] for export in done),
                        growth[0],
                        (beside.plateau_p99 or 0) - (alone.plateau_p99 or 0),
                    )
                )
    return Exports(alone, kinds)


def _crowd(number: int) -> slice:
    """Doors that nobody has gone through."""
    return slice(number * STREAMS, (number + 1) * STREAMS)


def _round(server: servers.Running, doors: slice, model: int, seconds: float = _SECONDS) -> Figures:
    some = server.doors[doors]
    orders = [Order(stream, int(seconds * RATE), RATE) for stream in range(len(some))]
    work = round_of(some, orders, stagger_s=0.01, pid=server.pid, model_port=model)
    return figures([uvloop.run(work)], None)


def _exported(pid: int, wish: dict[str, str], kind: str) -> tuple[dict[str, float], float]:
    """One export with nobody else there, and by how many MiB the process grew."""
    with _watched(pid) as growth, _exporting(wish, kind, seconds=0) as done:
        pass
    (figure,) = done
    return figure, growth[0]


@contextmanager
def _exporting(
    wish: dict[str, str], kind: str, seconds: float = _SECONDS
) -> Iterator[list[dict[str, float]]]:
    """Exports beside the block; the list has them when the last one is over."""
    done: list[dict[str, float]] = []
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.downloading"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdin
    child.stdin.write(json.dumps({**wish, "kind": kind, "seconds": seconds}))
    child.stdin.close()
    child.stdin = None
    yield done
    done += json.loads(child.communicate()[0])


@contextmanager
def _watched(pid: int) -> Iterator[list[float]]:
    """In the list, when it is over: by how many MiB the process grew at most."""
    growth = [0.0]
    before, is_over = usage(pid).rss_mib, threading.Event()

    def watch() -> None:
        while not is_over.wait(_SAMPLE_S):
            growth[0] = max(growth[0], usage(pid).rss_mib - before)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield growth
    finally:
        is_over.set()
        watcher.join()


def _filled(environment: dict[str, str], messages: int) -> str:
    """Fills the database in a process of its own; an administrator's cookie."""
    command = [sys.executable, "-m", "tests.bench.exporting", str(messages)]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    return done.stdout


def _fill(messages: int) -> str:
    """One conversation, and copies of its messages in all others: the ORM would take minutes."""
    import django

    django.setup()
    from django.conf import settings
    from django.contrib.auth.models import User
    from django.db import connection

    from chatapp.models import Conversation, Message
    from tests.tab import sign_in

    root = User.objects.create_superuser("root")
    titles = (f"Talk {number}" for number in range(messages // _MESSAGES_A_CONVERSATION))
    first, *_ = Conversation.objects.bulk_create(
        [Conversation(owner=root, title=title) for title in titles], batch_size=_ROWS_AT_ONCE
    )
    Message.objects.bulk_create(_message(first, n) for n in range(_MESSAGES_A_CONVERSATION))
    own = {"id", "conversation_id", "parent_id"}
    columns = ", ".join(f.column for f in Message._meta.concrete_fields if f.column not in own)
    said = ", ".join(f"m.{column}" for column in columns.split(", "))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO chatapp_message (id, conversation_id, {columns}) "
            f"SELECT lower(hex(randomblob(16))), c.id, {said} "
            "FROM chatapp_message m, chatapp_conversation c "
            "WHERE m.conversation_id = %s AND c.owner_id = %s AND c.id <> m.conversation_id",
            [first.pk.hex, root.pk],
        )
        cursor.execute(  # one after the other, as Markdown shows only the path
            "UPDATE chatapp_message SET parent_id = (SELECT m.id FROM chatapp_message m "
            "WHERE m.conversation_id = chatapp_message.conversation_id "
            "AND m.asked_at < chatapp_message.asked_at ORDER BY m.asked_at DESC LIMIT 1)"
        )
    return f"{settings.SESSION_COOKIE_NAME}={sign_in(root)}"


def _message(conversation: Any, number: int) -> Any:
    """A kilobyte of text, and the timings of a reply."""
    from chatapp.models import Message

    return Message(
        conversation=conversation,
        role="assistant" if number % 2 else "user",
        asked_at=_BEGUN + timedelta(seconds=number),
        text=f"= {number} " + "Many words of an answer. " * 40,
        arrivals={"bucket_ms": 10.0, "counts": [number % 7] * 50} if number % 2 else {},
    )


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatapp.settings")
    sys.stdout.write(_fill(int(sys.argv[1])))
