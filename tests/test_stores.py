"""The servers that tests bring along: they answer, come back, stand still and leave nothing."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.stores import Postgres, Redis, Store

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with Postgres() as store:
        yield store


@pytest.fixture(scope="module")
def redis() -> Iterator[Redis]:
    with Redis() as store:
        yield store


def ask_redis(redis: Redis, command: str, timeout_s: float = 10) -> str:
    address = ("127.0.0.1", redis.port)
    with socket.create_connection(address, timeout_s) as client:
        client.sendall(f"{command}\r\n".encode())
        return client.recv(1000).decode()


def words(postgres: Postgres) -> list[str]:
    with psycopg.connect(postgres.url) as client:
        return [word for (word,) in client.execute("SELECT word FROM words ORDER BY word")]


@pytest.mark.parametrize("leave", [Store.stop, Store.kill], ids=["stopped", "killed"])
def test_postgres_keeps_what_was_committed(
    postgres: Postgres, leave: Callable[[Store], None]
) -> None:
    with psycopg.connect(postgres.url) as client:
        client.execute("DROP TABLE IF EXISTS words")
        client.execute("CREATE TABLE words (word text)")
        client.execute("INSERT INTO words VALUES ('Zoë'), ('日本語')")
    client = psycopg.connect(postgres.url)
    url = postgres.url

    leave(postgres)
    with pytest.raises(psycopg.OperationalError):
        client.execute("SELECT 1")
    client.close()
    postgres.start()

    assert postgres.url == url
    assert words(postgres) == ["Zoë", "日本語"]


def test_redis_starts_empty_again(redis: Redis) -> None:
    assert ask_redis(redis, "SET word Zoë") == "+OK\r\n"
    port = redis.port

    redis.restart()

    assert redis.port == port
    assert ask_redis(redis, "GET word") == "$-1\r\n"


@pytest.mark.parametrize("kind", [Postgres, Redis])
def test_a_paused_server_answers_when_it_is_resumed(
    kind: type[Store], postgres: Postgres, redis: Redis
) -> None:
    with psycopg.connect(postgres.url) as client, ThreadPoolExecutor() as pool:
        store, ask = {
            Postgres: (postgres, lambda: client.execute("SELECT 'PONG'").fetchall()),
            Redis: (redis, lambda: ask_redis(redis, "PING")),
        }[kind]
        store.pause()
        answer = pool.submit(ask)
        with pytest.raises(TimeoutError):
            answer.result(timeout=0.2)

        store.resume()

        assert "PONG" in str(answer.result(timeout=10))


def test_a_paused_server_can_be_killed(redis: Redis) -> None:
    redis.pause()

    redis.kill()
    redis.start()

    assert ask_redis(redis, "PING") == "+PONG\r\n"


def beside_stores(script: str, folder: Path) -> "subprocess.Popen[str]":
    """A process that runs the shell's `script` beside both stores, whose data is in `folder`."""
    command = [sys.executable, "-m", "tests.stores", "postgres", "redis", "--", "sh", "-c", script]
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(folder)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that PostgreSQL's own user can enter, which pytest's are not."""
    with tempfile.TemporaryDirectory() as path:
        Path(path).chmod(0o755)
        yield Path(path)


def test_a_command_gets_the_urls_and_gives_its_exit_code(folder: Path) -> None:
    with beside_stores('echo "$DATABASE_URL $REDIS_URL"; exit 7', folder) as process:
        output, _ = process.communicate(timeout=60)

    assert process.returncode == 7
    assert [urlsplit(url).scheme for url in output.split()] == ["postgres", "redis"]
    assert not [*folder.iterdir()]


def test_nothing_is_left_of_a_process_that_is_killed(folder: Path) -> None:
    with beside_stores('echo "$DATABASE_URL $REDIS_URL"; read -r _', folder) as process:
        assert process.stdout is not None
        ports = [urlsplit(url).port for url in process.stdout.readline().split()]
        assert len([*folder.iterdir()]) == len(ports) == 2

        process.kill()

        deadline = time.monotonic() + 10
        while [*folder.iterdir()] or any(map(listens, ports)):
            assert time.monotonic() < deadline
            time.sleep(0.02)


def listens(port: int | None) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
