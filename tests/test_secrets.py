"""A key and a prompt that nobody else has, through real traffic of every kind → where they turn up.

The upstream echoes what it was sent in every way that an upstream can fail. The key may be nowhere
but on the wire; the prompt where people read it, and in no line of log.
"""

import asyncio
import io
import json
import os
import sqlite3
import subprocess
import sys
import time
import uuid
import zipfile
from collections.abc import AsyncIterator, Iterator
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import aiohttp
import pytest

from tests.ports import free_port
from tests.unlimited import UNLIMITED
from tests.upstream.replay import load
from tests.upstream.scripted import EVENTS, Peer, Upstream, upstream

ROOT = Path(__file__).parent.parent
KEY = "canary+key/8714-never-seen"
OWN_KEY = "canary-secret-8715-never-seen-" * 2
PROMPT = "canary prompt 8716 nobody reads"
ERROR = 'data-status="error"'
PASSWORD = "canary password 8717"
PROTOCOLS = ("openai", "anthropic", "truss", "cerebrium")
FAILURES = ("refuses", "breaks", "page", "redirects", "midway", "no-http", "cut", "nonsense")
KINDS = ("answers", "quotes", *FAILURES)

SET_UP = """
import json
from django.contrib.auth.models import User
from chatapp.models import Conversation, Endpoint
users = [User.objects.create_user("person", password="{password}"),
         User.objects.create_superuser("root", password="{password}")]
rows = {{}}
for name in {names}:
    protocol, kind = name.split(" ")
    endpoint = Endpoint.objects.create(name=name, protocol=protocol, model="m",
        url="http://127.0.0.1:{port}/" + protocol + "/" + kind, api_key_env="CANARY_API_KEY",
        options={{"titles": False}})
    conversation = Conversation.objects.create(owner=users[0], endpoint=endpoint,
        system_prompt="{prompt}")
    rows[name] = str(conversation.pk)
print(json.dumps(rows))
"""


async def echo(peer: Peer) -> None:
    """Answers or fails as the address says, quoting the request."""
    protocol, kind = peer.request.path.strip("/").split("/")[:2]
    said = f"{peer.request.headers} {peer.request.body.decode()}"
    wrapped = json.dumps({"error": {"message": said, "type": "x"}, "request_id": KEY}).encode()
    named = f"x-request-id: {KEY}\r\n"
    if kind == "answers":
        await peer.begin(EVENTS if protocol in ("openai", "anthropic") else "text/plain")
        await peer.chunk(load()[f"{protocol}/basic"].body)
        await peer.chunk(b"")
    elif kind == "quotes":
        is_text = protocol == "truss"
        await peer.begin("text/plain" if is_text else EVENTS)
        for piece in (f"It is {KEY[:9]}", f"{KEY[9:]} of course."):
            delta = json.dumps({"choices": [{"delta": {"content": piece}}]})
            await peer.chunk(piece.encode() if is_text else f"data: {delta}\n\n".encode())
            await asyncio.sleep(0.1)
        await peer.chunk(b"")
    elif kind == "refuses":
        await peer.respond(401, wrapped, f"{named}Content-Type: application/json\r\n")
    elif kind == "breaks":
        await peer.respond(500, f"Traceback: {said}".encode(), named)
    elif kind == "page":
        title = f"<!doctype html><title>{KEY} {PROMPT}</title>".encode()
        await peer.respond(403, title, "Content-Type: text/html\r\n")
    elif kind == "redirects":
        await peer.respond(307, b"", f"Location: /elsewhere?key={KEY}\r\n")
    elif kind == "midway":
        await peer.send(f"HTTP/1.1 200 OK\r\n{named}Content-Type: {EVENTS}\r\n\r\n".encode())
        await peer.send(b"event: error\ndata: " + wrapped + b"\n\n")
        peer.writer.close()
    elif kind == "nonsense" and protocol in ("openai", "anthropic"):
        await peer.begin("application/json")
        await peer.chunk(b'{"unexpected": ' + json.dumps(KEY).encode() + b"}")
        await peer.chunk(b"")
    elif kind == "no-http":
        await peer.send(f"{KEY} {PROMPT}\r\n\r\n".encode())
        peer.writer.close()
    else:
        await peer.begin()
        await peer.chunk(b'data: {"x": "')
        peer.writer.transport.abort()


class Site:
    """The production server in a process of its own, and everything that it said."""

    def __init__(self, folder: Path) -> None:
        self.database = folder / "db.sqlite3"
        self.log = folder / "log"
        self.port = free_port()
        self.origin = f"http://127.0.0.1:{self.port}"
        self.environment = {
            "PATH": os.environ["PATH"],
            "DATABASE_URL": f"sqlite:///{self.database}",
            "SECRET_KEY": OWN_KEY,
            "CANARY_API_KEY": KEY,
            "HTTPS": "off",
            "ALLOWED_HOSTS": "127.0.0.1",
            "LOG_LEVEL": "DEBUG",
            "DRAIN_SECONDS": "0.5",
            "UPSTREAM_ALLOWED_HOSTS": "127.0.0.1",
            **UNLIMITED,
        }
        self.said: list[str] = []

    def manage(self, *arguments: str) -> str:
        command = [sys.executable, str(ROOT / "manage.py"), *arguments]
        done = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=120
        )
        self.said += [done.stdout, done.stderr]
        return done.stdout

    def serve(self) -> "subprocess.Popen[bytes]":
        command = [sys.executable, str(ROOT / "manage.py"), "serve", "--port", str(self.port)]
        with self.log.open("w") as out:
            process = subprocess.Popen(command, env=self.environment, stdout=out, stderr=out)
        deadline = time.monotonic() + 60
        while "Listening" not in (text := self.log.read_text(encoding="utf-8")):
            assert process.poll() is None and time.monotonic() < deadline, text
            time.sleep(0.05)
        return process


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    site.manage("migrate", "-v0")
    process = site.serve()
    yield site
    process.terminate()
    process.wait(30)


@pytest.fixture
async def model() -> AsyncIterator[Upstream]:
    async with upstream(echo) as running:
        yield running


class Person:
    """A browser without scripts: signs in, looks at pages, sends over the socket."""

    def __init__(self, site: Site, session: aiohttp.ClientSession) -> None:
        self.site, self.session = site, session

    async def get(self, path: str, **headers: str) -> str:
        async with self.session.get(self.site.origin + path, headers=headers) as answer:
            body = await answer.read()
            self.site.said.append(str(answer.headers))
        files = [body]
        if body.startswith(b"PK"):
            with zipfile.ZipFile(io.BytesIO(body)) as folder:
                files = [folder.read(name) for name in folder.namelist()]
        text = b"\n".join(files).decode("utf-8", "replace")
        self.site.said.append(text)
        return text

    async def post(self, path: str, page: str, **form: str) -> str:
        """Sends a form of the page at `page`."""
        found = (await self.get(page)).partition('name="csrfmiddlewaretoken" value="')[2]
        form["csrfmiddlewaretoken"] = found.partition('"')[0]
        headers = {"Origin": self.site.origin}
        async with self.session.post(self.site.origin + path, data=form, headers=headers) as answer:
            text = await answer.text()
        self.site.said.append(text)
        return text

    async def ask(self, conversation: str) -> str:
        """Sends the prompt and waits for the end of the reply; returns the page."""
        url = f"{self.site.origin}/ws/conversations/{conversation}/"
        async with self.session.ws_connect(url, headers={"Origin": self.site.origin}) as socket:
            await socket.send_json({"action": "send", "text": PROMPT, "key": "no key"})
            await socket.send_str(f"{{{PROMPT}")
            frame = {"action": "send", "text": f"{PROMPT} again", "key": str(uuid.uuid4())}
            await socket.send_json(frame)
            seen = ""
            while 'aria-busy="false"' not in seen.rpartition('data-role="assistant"')[2]:
                seen += await socket.receive_str(timeout=30)
        self.site.said.append(seen)
        return await self.get(f"/c/{conversation}/")


@pytest.fixture
async def person(site: Site) -> AsyncIterator[Person]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        yield Person(site, session)


async def look_around(person: Person, conversations: dict[str, str]) -> None:
    """Every page of a person's, forms that are refused, and what is not there."""
    one, other = list(conversations.values())[:2]
    await person.post(f"/c/{one}/rename/", f"/c/{one}/", title="x" * 200)
    await person.post(f"/c/{one}/share/", f"/c/{one}/", kind="grows")
    await person.post("/prompts/create/", "/prompts/new/", name="p", text=PROMPT)
    await person.post(f"/c/{other}/messages/", f"/c/{other}/", text=PROMPT, key="no key")
    await person.post("/your-data/leave/", "/your-data/", confirmation="wrong")
    for path in ("/", "/conversations/", "/prompts/", "/presets/", "/links/", "/imports/"):
        await person.get(path)
    for path in ("/your-data/", "/preferences/", "/export.zip", "/nowhere/", f"/c/{uuid.uuid4()}/"):
        await person.get(path)
    await person.get(f"/search/?q={PROMPT}")
    await person.get("/", Cookie="sessionid=forged", Host="another.example")
    for conversation in conversations.values():
        for kind in ("json", "md"):
            await person.get(f"/c/{conversation}/export.{kind}")
    async with person.session.post(f"{person.site.origin}/login/", data={"a": PROMPT}) as refused:
        assert refused.status == 403
        person.site.said.append(await refused.text())


async def administrate(person: Person, conversations: dict[str, str]) -> None:
    await person.get("/admin/")
    for kind in ("conversation", "endpoint", "hold"):
        await person.get(f"/admin/chatapp/{kind}/?q=canary")
        await person.get(f"/admin/chatapp/{kind}/add/")
    for number, conversation in enumerate(conversations.values(), 1):
        await person.get(f"/admin/chatapp/conversation/{conversation}/change/")
        await person.get(f"/admin/chatapp/endpoint/{number}/change/")
    for path in ("/healthz", "/readyz", "/metrics"):
        await person.get(path)


def found(secret: str, texts: list[str]) -> list[str]:
    """What stands around the secret, wherever it is."""
    return [
        text[max(at - 80, 0) : at + 120]
        for text in texts
        for form in (text, unquote(text), unescape(text))
        if (at := form.find(secret)) >= 0
    ]


def stored(database: Path) -> str:
    """All that the database holds, as SQL and as bytes."""
    with sqlite3.connect(database) as connection:
        rows = "\n".join(connection.iterdump())
    raw = [path.read_bytes().decode("latin-1") for path in database.parent.glob("db.sqlite3*")]
    return "\n".join([rows, *raw])


async def test_a_key_is_nowhere_and_a_prompt_in_no_log(
    site: Site, person: Person, model: Upstream
) -> None:
    names = [f"{protocol} {kind}" for protocol in PROTOCOLS for kind in KINDS]
    code = SET_UP.format(password=PASSWORD, names=names, port=model.port, prompt=PROMPT)
    conversations: dict[str, Any] = json.loads(site.manage("shell", "-v0", "-c", code))

    await person.post("/login/", "/login/", username="person", password=PASSWORD)
    pages = await asyncio.gather(*map(person.ask, conversations.values()))
    await look_around(person, conversations)
    await person.post("/logout/", "/")
    await person.post("/login/", "/login/", username="root", password="wrong")
    await person.post("/login/", "/login/", username="root", password=PASSWORD)
    await administrate(person, conversations)
    await asyncio.to_thread(site.manage, "endpoint", "test", "truss page")
    await asyncio.to_thread(site.manage, "chat", PROMPT, "--endpoint", "openai refuses", "--json")

    failed = {name for name, page in zip(names, pages, strict=True) if ERROR in page}
    assert sum("It is [key] of course." in page for page in pages) == 3
    assert model.requests >= len(names)
    assert {f"{protocol} refuses" for protocol in PROTOCOLS} <= failed
    log = site.log.read_text(encoding="utf-8")
    dump = await asyncio.to_thread(stored, site.database)
    assert all(json.loads(line) for line in log.splitlines() if not line.startswith("Listening"))
    assert PROMPT in dump and sum(PROMPT in page for page in pages) == len(pages)
    assert any("reply ended: auth at" in line for line in log.splitlines())

    for secret in (KEY, OWN_KEY):
        assert found(secret, [log, dump, *site.said]) == []
    for secret in (PROMPT, PASSWORD, "canary prompt"):
        assert found(secret, [log]) == []
