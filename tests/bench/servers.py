"""The servers under test: each started afresh with all it needs, as doors for so many clients."""

import json
import os
import secrets
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.processes import ROOT, cores, running
from tests.bench.sockets import Door
from tests.ports import free_port
from tests.unlimited import UNLIMITED


@dataclass(frozen=True, slots=True)
class Running:
    """A server that answers: its process, where its clients go in, and its first page."""

    pid: int
    port: int
    doors: list[Door]


Starter = Callable[[str, int, Path], AbstractContextManager[Running]]


@contextmanager
def model(directory: Path) -> Iterator[int]:
    """The loopback model; its port."""
    port = free_port()
    arguments = ["-m", "tests.bench.model", str(port)]
    with running(arguments, port=port, affinity=cores()[1], log=directory / "model.log"):
        yield port


@contextmanager
def chatapp(
    model_url: str,
    clients: int,
    directory: Path,
    messages: int = 0,
    fill: Callable[[dict[str, str]], None] = lambda environment: None,
) -> Iterator[Running]:
    """`manage.py serve` on a fresh SQLite file with a user, session and conversation a client.

    The last client's conversation has so many `messages`; `fill` adds to the database before the
    server starts.
    """
    port = free_port()
    environment = chatapp_environment(directory)
    prepared = prepare(environment, model_url, clients, messages)
    fill(environment)
    arguments = ["manage.py", "serve", "--host", "127.0.0.1", "--port", str(port)]
    log = directory / "chatapp.log"
    with running(
        arguments, port=port, affinity=cores()[0], log=log, environment=environment
    ) as pid:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/login/").read()
        doors = [
            Door(
                port,
                f"/ws/conversations/{client['conversation']}/?after=",
                f"{prepared['cookie']}={client['session']}",
                prepared["endpoint"],
                greets=True,
            )
            for client in prepared["clients"]
        ]
        yield Running(pid, port, doors)


@contextmanager
def floor(model_url: str, clients: int, directory: Path) -> Iterator[Running]:
    """The smallest Channels consumer that streams."""
    port = free_port()
    arguments = ["-m", "tests.bench.floor", str(port), f"{model_url}/v1/chat/completions"]
    log = directory / "floor.log"
    with running(arguments, port=port, affinity=cores()[0], log=log) as pid:
        yield Running(pid, port, [Door(port)] * clients)


def chatapp_environment(directory: Path) -> dict[str, str]:
    """What a production server on loopback is given, its port aside; its database file is new."""
    return {
        **os.environ,
        **UNLIMITED,
        "SECRET_KEY": secrets.token_urlsafe(50),
        "DEBUG": "off",
        "DEMO": "off",
        "HTTPS": "off",
        "ALLOWED_HOSTS": "127.0.0.1",
        "UPSTREAM_ALLOWED_HOSTS": "127.0.0.1",
        "DATABASE_URL": f"sqlite:///{directory}/{secrets.token_hex(4)}.sqlite3",
        "REDIS_URL": "",
        "LOG_LEVEL": "WARNING",
        "DJANGO_SETTINGS_MODULE": "chatapp.settings",
    }


def prepare(
    environment: dict[str, str], model_url: str, clients: int, messages: int = 0
) -> dict[str, Any]:
    """What `tests.bench.prepare` makes in the database that `environment` names."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.prepare"],
        cwd=ROOT,
        env=environment,
        input=json.dumps({"clients": clients, "model": model_url, "messages": messages}),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    prepared: dict[str, Any] = json.loads(done.stdout)
    return prepared
