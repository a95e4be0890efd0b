"""An empty folder → a real PostgreSQL or Redis server of our own on loopback, at its URL.

`python -m tests.stores postgres redis -- COMMAND…` runs a command with DATABASE_URL and REDIS_URL
set to fresh servers, and exits as the command does.
"""

import argparse
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import psycopg

from tests.ports import free_port

_HOST = "127.0.0.1"
_START_LIMIT_S = 60.0
_STOP_LIMIT_S = 30.0

# Outlives us by a moment, however we end: it reads the server's process id whenever that changes,
# and when nobody writes any more it ends the last one and removes the folder.
_GUARD = """
while read -r line; do pid=$line; done
if [ -n "$pid" ]; then kill -s "$2" "$pid"; kill -s CONT "$pid"; fi
for _ in 1 2 3 4 5 6 7 8 9; do rm -rf "$1" && break; sleep 0.2; done
"""


class Store(ABC):
    """`with Postgres() as store:` one server, from its first answer to the end of the block.

    Its methods block until what they say is done; asynchronous code calls them on a thread. The
    port stays the same over restarts.
    """

    variable: str
    crash_signal: signal.Signals
    user: str | None = None

    def __init__(self) -> None:
        self.port = free_port()
        self._folder = Path(tempfile.mkdtemp(prefix=f"{type(self).__name__.lower()}-"))
        self._log = self._folder / "log"
        self._process: subprocess.Popen[bytes] | None = None
        self._guard = subprocess.Popen(
            ["sh", "-c", _GUARD, "sh", str(self._folder), self.crash_signal.name[3:]],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self._end()

    @property
    @abstractmethod
    def url(self) -> str: ...

    @property
    def pid(self) -> int:
        assert self._process is not None, "the server is not running"
        return self._process.pid

    def start(self) -> None:
        """Returns when the server answers."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command(),
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the tests; they end the server themselves
                **_as(self.user),
            )
        self._tell_guard(str(self.pid))
        deadline = time.monotonic() + _START_LIMIT_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                tail = self._log.read_text(errors="replace")[-3000:]
                raise RuntimeError(f"{self._command()[0]} did not begin to answer:\n{tail}")
            time.sleep(0.02)

    def stop(self) -> None:
        """An orderly end, as at a planned restart: clients are told, data is written."""
        self.pause()
        self._finish(signal.SIGINT)

    def kill(self) -> None:
        """A crash: connections break without a word. What was committed is there after `start`."""
        self.pause()
        for child in self._children():
            os.kill(child, signal.SIGKILL)
        self._finish(self.crash_signal)

    def restart(self) -> None:
        self.stop()
        self.start()

    def pause(self) -> None:
        """Freezes it, as a stalled machine would: connections stay open, nothing answers."""
        os.kill(self.pid, signal.SIGSTOP)
        # Once it stands still its children are all known, and none is reaped.
        os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WNOWAIT)
        for child in self._children():
            os.kill(child, signal.SIGSTOP)

    def resume(self) -> None:
        """Ends a pause: what was asked meanwhile is answered."""
        for pid in (*self._children(), self.pid):
            os.kill(pid, signal.SIGCONT)

    @abstractmethod
    def _command(self) -> list[str]: ...

    @abstractmethod
    def _answers(self) -> bool: ...

    def _children(self) -> list[int]:
        listed = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        return [int(pid) for pid in listed.split()]

    def _finish(self, by: signal.Signals) -> None:
        assert self._process is not None, "the server is not running"
        self._process.send_signal(by)
        self.resume()
        self._process.wait(_STOP_LIMIT_S)
        self._process = None
        self._tell_guard("")

    def _end(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self.kill()
        self._guard.communicate()

    def _tell_guard(self, pid: str) -> None:
        assert self._guard.stdin is not None
        self._guard.stdin.write(f"{pid}\n".encode())
        self._guard.stdin.flush()


class Postgres(Store):
    """A cluster with one superuser and one empty database. Its crashes lose no committed row."""

    variable = "DATABASE_URL"
    crash_signal = signal.SIGQUIT
    # It refuses to run as root; this is whom Debian's package makes for it.
    user = "postgres" if os.geteuid() == 0 else None

    @property
    def url(self) -> str:
        return f"postgres://chatapp@{_HOST}:{self.port}/postgres"

    def start(self) -> None:
        if not (self._folder / "data").exists():
            self._make_cluster()
        super().start()

    def _make_cluster(self) -> None:
        if self.user:
            shutil.chown(self._folder, self.user)
        options = "--auth=trust --username=chatapp --encoding=UTF8 --locale=C.UTF-8 --no-sync"
        subprocess.run(
            [_newest("initdb"), *options.split(), "data"],
            cwd=self._folder,
            check=True,
            stdout=subprocess.DEVNULL,
            **_as(self.user),
        )

    def _command(self) -> list[str]:
        settings = {
            "listen_addresses": _HOST,
            "port": self.port,
            "unix_socket_directories": "",
            "dynamic_shared_memory_type": "mmap",  # in the folder, and gone with it
            # Fast, and safe as long as the machine itself stays up. Commits stay synchronous: a
            # killed server must still know them.
            "fsync": "off",
            "full_page_writes": "off",
        }
        options = [f"--{name}={value}" for name, value in settings.items()]
        return [_newest("postgres"), "-D", "data", *options]

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


class Redis(Store):
    """A server that keeps everything in memory and nothing over a restart."""

    variable = "REDIS_URL"
    crash_signal = signal.SIGKILL

    @property
    def url(self) -> str:
        return f"redis://{_HOST}:{self.port}/0"

    def _command(self) -> list[str]:
        options = ["--bind", _HOST, "--port", str(self.port), "--save", "", "--appendonly", "no"]
        return ["redis-server", *options]

    def _answers(self) -> bool:
        try:
            with socket.create_connection((_HOST, self.port), timeout=2) as client:
                client.sendall(b"PING\r\n")
                return client.recv(16) == b"+PONG\r\n"
        except OSError:
            return False


_STORES: dict[str, type[Store]] = {"postgres": Postgres, "redis": Redis}


def main(arguments: Sequence[str]) -> int:
    """Runs the command behind `--` beside the stores that are named before it; its exit code."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    command = arguments[end + 1 :]
    parser = argparse.ArgumentParser(
        prog="python -m tests.stores", usage="%(prog)s STORE... -- COMMAND...", description=__doc__
    )
    parser.add_argument("stores", nargs="+", choices=sorted(_STORES), metavar="STORE")
    names = parser.parse_args(arguments[:end]).stores
    if not command:
        parser.error("name a command behind --")
    # Ctrl-C reaches the command as well; it decides what to say before the stores go.
    signal.signal(signal.SIGINT, lambda *_: None)
    with ExitStack() as stack:
        stores = [stack.enter_context(_STORES[name]()) for name in names]
        urls = {store.variable: store.url for store in stores}
        return subprocess.call(command, env=os.environ | urls)


def _newest(program: str) -> str:
    """PostgreSQL's program where Debian puts it, which is not on the PATH."""
    found = Path("/usr/lib/postgresql").glob(f"*/bin/{program}")
    return max(map(str, found), key=lambda path: int(path.split("/")[4]), default=program)


def _as(user: str | None) -> dict[str, Any]:
    return {"user": user, "group": user, "extra_groups": []} if user else {}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
