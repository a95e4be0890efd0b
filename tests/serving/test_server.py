"""The production server, as its operator meets it: in a process of its own."""

import asyncio
import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from tests.ports import free_port

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A bare environment: nothing but what an operator would set."""
    return {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": f"sqlite:///{tmp_path / 'db.sqlite3'}",
        "DEMO_MODEL_PORT": str(free_port()),
        "DRAIN_SECONDS": "0.5",
    }


def manage(environment: dict[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(ROOT / "manage.py"), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)


def test_serving_without_a_key_of_its_own_is_refused(environment: dict[str, str]) -> None:
    done = manage(environment, "serve", "--port", str(free_port()))

    assert done.returncode == 1
    assert "SECRET_KEY" in done.stderr and "Traceback" not in done.stderr


def test_commands_work_without_a_key_and_name_a_missing_migration(
    environment: dict[str, str],
) -> None:
    listed = manage(environment, "endpoint", "list")
    assert listed.returncode == 1
    assert "migrate" in listed.stderr and "Traceback" not in listed.stderr

    assert manage(environment, "migrate").returncode == 0
    assert "No endpoints yet" in manage(environment, "endpoint", "list").stdout
    assert "no endpoint named ''" in manage(environment, "chat", "hi", "--endpoint", "").stderr
    assert "No endpoints" not in manage(environment, "runserver").stdout


@pytest.fixture
def demo(
    environment: dict[str, str], tmp_path: Path
) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """A demo server; its sign-in link and its process."""
    port = free_port()
    log = tmp_path / "log"
    with log.open("w") as out:
        command = [sys.executable, str(ROOT / "manage.py"), "demo", "--port", str(port)]
        process = subprocess.Popen(command, env=environment, stdout=out, stderr=out)
    try:
        deadline = time.monotonic() + 60
        while "/demo/" not in (text := log.read_text(encoding="utf-8")):
            assert process.poll() is None and time.monotonic() < deadline, text
            time.sleep(0.05)
        yield next(word for word in text.split() if "/demo/" in word), process
    finally:
        process.kill()
        process.wait()


def test_a_second_process_on_the_same_file_is_refused(
    demo: tuple[str, "subprocess.Popen[bytes]"], environment: dict[str, str]
) -> None:
    second = manage(environment, "demo", "--port", str(free_port()))

    assert second.returncode == 1
    assert "Another process serves" in second.stderr and "Traceback" not in second.stderr


def test_several_processes_need_a_store_that_they_share(environment: dict[str, str]) -> None:
    key = {"SECRET_KEY": "x" * 50, "WEB_CONCURRENCY": "2"}
    done = manage(environment | key, "serve", "--port", str(free_port()))

    assert done.returncode == 1
    assert "SQLite alone serves one process" in done.stderr and "REDIS_URL" in done.stderr


@pytest.mark.parametrize("command", ["serve", "demo"])
def test_a_folder_that_is_not_there_is_said_to_be_so(
    environment: dict[str, str], tmp_path: Path, command: str
) -> None:
    nowhere = {"SECRET_KEY": "x" * 50, "DATABASE_URL": f"sqlite:///{tmp_path}/nowhere/db.sqlite3"}

    done = manage(environment | nowhere, command, "--port", str(free_port()))

    assert done.returncode == 1
    assert "nowhere/db.sqlite3: No such file" in done.stderr and "Traceback" not in done.stderr


def test_a_database_without_its_tables_is_not_served(environment: dict[str, str]) -> None:
    done = manage(environment | {"SECRET_KEY": "x" * 50}, "serve", "--port", str(free_port()))

    assert done.returncode == 1
    assert "run manage.py migrate" in done.stderr and done.stderr.count("\n") == 1


def test_a_server_starts_while_its_database_is_away(environment: dict[str, str]) -> None:
    away = {
        "SECRET_KEY": "x" * 50,
        "DATABASE_URL": f"postgres://nobody@127.0.0.1:{free_port()}/away",
    }
    command = [sys.executable, str(ROOT / "manage.py"), "serve", "--port", str(free_port())]
    with subprocess.Popen(
        command, env=environment | away, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        try:
            assert b"Listening" in process.stdout.readline()
        finally:
            process.kill()


@pytest.mark.parametrize("command", ["serve", "demo"])
def test_no_port_is_no_port(environment: dict[str, str], command: str) -> None:
    done = manage(environment, command, "--port", "0")

    assert done.returncode == 2
    assert "a port is a whole number from 1 to 65535" in done.stderr


async def test_a_terminated_server_tells_its_readers_and_keeps_the_text(
    demo: tuple[str, "subprocess.Popen[bytes]"], environment: dict[str, str]
) -> None:
    link, process = demo
    origin = link.split("/demo/")[0]
    conversation = uuid.uuid4()
    jar = aiohttp.CookieJar(unsafe=True)  # takes cookies from an address
    async with aiohttp.ClientSession(cookie_jar=jar) as session:
        page = await (await session.get(link)).text()
        form = {
            "text": "/tokens 5000 /pace 200 /delay 0",
            "key": str(uuid.uuid4()),
            "csrfmiddlewaretoken": page.split('name="csrfmiddlewaretoken" value="')[1].split('"')[
                0
            ],
        }
        headers = {"Origin": origin}
        url = f"{origin}/c/{conversation}/messages/"
        assert (await session.post(url, data=form, headers=headers)).status == 200
        ws = await session.ws_connect(f"{origin}/ws/conversations/{conversation}/", headers=headers)
        for _ in range(20):
            await ws.receive(timeout=10)
        half_sent = socket.create_connection(("127.0.0.1", int(origin.rsplit(":", 1)[1])))
        half_sent.sendall(b"GET / HTTP/1.1\r\nHost: half")

        process.send_signal(signal.SIGTERM)
        while (message := await ws.receive(timeout=10)).type is aiohttp.WSMsgType.TEXT:
            pass

    assert (message.type, ws.close_code) == (aiohttp.WSMsgType.CLOSE, 1012)
    assert await asyncio.to_thread(process.wait, 10) == 0
    half_sent.close()
    script = (
        "import json; from chatapp.models import Message;"
        "m = Message.objects.get(role='assistant'); print(json.dumps([m.status, len(m.text)]))"
    )
    status, length = json.loads(manage(environment, "shell", "-v0", "-c", script).stdout)
    assert status == "interrupted"
    assert length > 50


async def test_a_file_to_import_may_be_larger_than_other_bodies(
    demo: tuple[str, "subprocess.Popen[bytes]"],
) -> None:
    link, _ = demo
    origin = link.split("/demo/")[0]
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar) as session:
        await session.get(link)
        page = await (await session.get(f"{origin}/imports/")).text()
        token = page.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
        form = aiohttp.FormData({"csrfmiddlewaretoken": token})
        file = io.BytesIO(b"[" + b",".join([b"{}" + b" " * 8_000_000] * 3) + b"]")
        form.add_field("file", file, filename="large.json")
        url, headers = f"{origin}/imports/new/", {"Origin": origin}
        answer = await session.post(url, data=form, headers=headers)
        while 'data-import="over"' not in (page := await answer.text()):
            answer = await session.get(answer.url)

    assert "large.json" in page and "It is not a conversation" in page
