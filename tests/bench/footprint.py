"""An installation and a start → how much is installed, and how soon the first page answers."""

import json
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tests.bench import servers
from tests.bench.processes import ROOT, cores, running
from tests.ports import free_port

STARTS = 5

_FIRST_PAGE_LIMIT_S = 30.0
_COUNT_DISTRIBUTIONS = """
import importlib.metadata, json
found = {}
for distribution in importlib.metadata.distributions():
    files = distribution.files or []
    paths = [path.locate() for path in files]
    found[distribution.name] = sum(path.stat().st_size for path in paths if path.is_file())
for tool in ("pip", "setuptools", "wheel"):
    found.pop(tool, None)
print(json.dumps([len(found), sum(found.values())]))
"""


@dataclass(frozen=True, slots=True)
class Installation:
    """A fresh environment after `pip install -r requirements.txt`, without pip and its kin."""

    distributions: int
    mib: float
    seconds: float


def installation() -> Installation:
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        python = Path(name) / "bin" / "python"
        began = time.monotonic()
        _run(sys.executable, "-m", "venv", name)
        requirements = str(ROOT / "requirements.txt")
        _run(str(python), "-m", "pip", "install", "-qqq", "-r", requirements)
        seconds = time.monotonic() - began
        count, size = json.loads(_run(str(python), "-c", _COUNT_DISTRIBUTIONS))
        return Installation(count, size / 2**20, seconds)


def start_s() -> float:
    """Median seconds from `manage.py serve` on a migrated database until a page has answered."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        directory = Path(name)
        return median(_one_start(directory) for _ in range(STARTS))


def _one_start(directory: Path) -> float:
    port = free_port()
    environment = servers.chatapp_environment(directory)
    _run(sys.executable, "manage.py", "migrate", "--verbosity=0", environment=environment)
    arguments = ["manage.py", "serve", "--host", "127.0.0.1", "--port", str(port)]
    log = directory / "start.log"
    began = time.monotonic()
    with running(arguments, port=port, affinity=cores()[0], log=log, environment=environment):
        _wait_for_page(f"http://127.0.0.1:{port}/login/")
        return time.monotonic() - began


def _wait_for_page(url: str) -> None:
    deadline = time.monotonic() + _FIRST_PAGE_LIMIT_S
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url) as page:
                page.read()
                return
        except urllib.error.URLError:
            time.sleep(0.01)
    raise TimeoutError(url)


def _run(*command: str, environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    return done.stdout
