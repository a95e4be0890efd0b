"""An environment → a prepared database, and production servers on it that can be hurt by pid."""

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

from tests.bench.processes import ROOT
from tests.bench.servers import chatapp_environment, prepare
from tests.bench.sockets import Door
from tests.ports import free_port

_START_LIMIT_S = 60.0
_DISTRESS = ("Traceback", "Exception ignored", "was never retrieved", "Task was destroyed")


@dataclass(frozen=True, slots=True)
class Installation:
    """What servers share: their environment and a database with so many people in it."""

    environment: dict[str, str]
    cookie: str
    endpoint: int
    clients: list[dict[str, str]]

    @property
    def database(self) -> str:
        return self.environment["DATABASE_URL"]

    def door(self, client: int, port: int) -> Door:
        """Where the client's conversation is, at a server or balancer on `port`."""
        known = self.clients[client]
        return Door(
            port,
            f"/ws/conversations/{known['conversation']}/?after=",
            f"{self.cookie}={known['session']}",
            self.endpoint,
        )


async def install(
    model_url: str, clients: int, directory: Path, environment: Mapping[str, str]
) -> Installation:
    """Each client has a user, a session and an empty conversation. `environment` adds to the usual
    one, in which the database is a new SQLite file."""
    complete = chatapp_environment(directory) | dict(environment)
    prepared = await asyncio.to_thread(prepare, complete, model_url, clients)
    return Installation(complete, prepared["cookie"], prepared["endpoint"], prepared["clients"])


class Server:
    """`manage.py serve` in a process of its own, which can be started again on the same port."""

    def __init__(self, environment: Mapping[str, str], log: Path) -> None:
        self.port = free_port()
        self._log = log
        self._environment = {**environment, "PORT": str(self.port), "PYTHONFAULTHANDLER": "1"}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        """All that was printed since the first start."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def distress(self) -> int:
        """How often the log tells of an exception that nobody expected."""
        return sum(self.log.count(words) for words in _DISTRESS)

    async def start(self) -> None:
        """Returns when it serves pages."""
        await asyncio.to_thread(self._start)

    def kill(self) -> None:
        self._send(signal.SIGKILL)

    def terminate(self) -> None:
        self._send(signal.SIGTERM)

    def pause(self) -> None:
        self._send(signal.SIGSTOP)

    def resume(self) -> None:
        self._send(signal.SIGCONT)

    async def exit_code(self, timeout_s: float = 30.0) -> int:
        """Waits for the process to end; negative if a signal ended it."""
        assert self._process is not None
        return await asyncio.to_thread(self._process.wait, timeout_s)

    async def restart(self) -> None:
        """Starts it again once it has ended, as it was told to."""
        await self.exit_code()
        await self.start()

    async def end(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self.kill()
            await self.exit_code()

    def _start(self) -> None:
        command = [sys.executable, "manage.py", "serve", "--host", "127.0.0.1"]
        with self._log.open("ab") as out:
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=self._environment, stdout=out, stderr=out
            )
        self._wait_for_page()

    def _send(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def _wait_for_page(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + _START_LIMIT_S
        while self._process.poll() is None and time.monotonic() < deadline:
            try:
                with urlopen(f"http://127.0.0.1:{self.port}/login/", timeout=5) as page:
                    page.read()
                    return
            except OSError:
                time.sleep(0.02)
        raise RuntimeError(f"the server does not serve:\n{self.log[-3000:]}")
