"""Commands → processes of our own, each on its core, and what the kernel knows of them."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_START_LIMIT_S = 60.0
_STOP_LIMIT_S = 15.0
_QUIET_BUSY_S = 0.08
_CORES = sorted(os.sched_getaffinity(0))


def cores() -> tuple[set[int], set[int]]:
    """The server's core, and the others; the same where there is only one."""
    first, *others = _CORES
    return {first}, set(others) or {first}


@contextmanager
def running(
    arguments: Sequence[str],
    *,
    port: int,
    affinity: set[int],
    log: Path,
    environment: Mapping[str, str] | None = None,
) -> Iterator[int]:
    """A Python process that listens on `port`; its id. It is ended when the block is left."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=dict(environment or os.environ),
            stdout=output,
            stderr=output,
            preexec_fn=lambda: os.sched_setaffinity(0, affinity),
        )
    try:
        _wait_until_it_listens(process, port, log)
        yield process.pid
    finally:
        _end(process)


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process, and everybody on its core, have used by `at`, a CLOCK_MONOTONIC time."""

    at: float
    cpu_s: float
    core_s: float
    rss_mib: float


def usage(pid: int) -> Usage:
    """The usage of a process that is pinned to one core."""
    # The fields behind the name, which may hold spaces: utime and stime are the 14th and 15th.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    rss_pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    cpu_s = (int(fields[11]) + int(fields[12])) / _TICKS_PER_S
    return Usage(time.monotonic(), cpu_s, _busy_s(cores()[0]), rss_pages * _PAGE_BYTES / 2**20)


def wait_for_quiet(patience_s: float) -> None:
    """Returns when others leave the machine alone for a second, or when patience is at an end."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        before = _busy_s(set(_CORES))
        time.sleep(1)
        if _busy_s(set(_CORES)) - before < _QUIET_BUSY_S:
            return


def _busy_s(of_cores: set[int]) -> float:
    lines = Path("/proc/stat").read_text().splitlines()
    counters = {name: values for name, *values in map(str.split, lines)}
    busy = 0
    for core in of_cores:
        user, nice, system, _idle, _wait, irq, soft_irq, steal, *_ = counters[f"cpu{core}"]
        busy += sum(map(int, (user, nice, system, irq, soft_irq, steal)))
    return busy / _TICKS_PER_S


def _wait_until_it_listens(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + _START_LIMIT_S
    while process.poll() is None and time.monotonic() < deadline:
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)
    tail = log.read_text(errors="replace")[-3000:]
    raise RuntimeError(f"{process.args!r} did not begin to listen on {port}:\n{tail}")


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
