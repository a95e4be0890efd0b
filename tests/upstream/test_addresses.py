"""No URL leads to where nobody allowed a request to go: sockets listen there, and stay alone."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import aclosing

import httpx2
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from pytest_django import Settings

from chatapp.checks import check_upstream_hosts
from chatapp.errors import InvalidInput, Kind, Problem
from chatapp.events import Completed, Event, Failed
from chatapp.upstream.addresses import allowed_hosts, check_url
from chatapp.upstream.contract import Target
from chatapp.upstream.http import new_client, stream
from chatapp.upstream.transport import AiohttpTransport
from tests.upstream.asking import NO_RETRIES, PROMPT, ask
from tests.upstream.scripted import DONE, TOKEN, Peer, answering, upstream

# PORT is one that listens on every address of this machine. With nothing allowed, each of these
# has to be refused before any socket is opened.
FORBIDDEN = r"""
https://127.0.0.1:PORT/v1
http://127.0.0.1:PORT/v1
https://127.0.0.2:PORT/v1
https://127.255.255.254:PORT/v1
https://localhost:PORT/v1
https://LOCALHOST:PORT/v1
https://localhost.:PORT/v1
http://localhost:PORT/v1
https://0.0.0.0:PORT/v1
http://0.0.0.0:PORT/v1
https://0.1.2.3:PORT/v1
https://[::]:PORT/v1
https://[::1]:PORT/v1
http://[::1]:PORT/v1
https://[0:0:0:0:0:0:0:1]:PORT/v1
https://[::ffff:127.0.0.1]:PORT/v1
https://[::ffff:7f00:1]:PORT/v1
https://[0:0:0:0:0:ffff:127.0.0.1]:PORT/v1
https://[::ffff:0.0.0.0]:PORT/v1
https://[::ffff:169.254.169.254]:PORT/v1
https://[::ffff:10.0.0.1]:PORT/v1
https://[::127.0.0.1]:PORT/v1
https://[2002:7f00:1::]:PORT/v1
https://[2002:a9fe:a9fe::1]:PORT/v1
https://[2002:a00:1::1]:PORT/v1
https://[64:ff9b::127.0.0.1]:PORT/v1
https://[64:ff9b::a9fe:a9fe]:PORT/v1
https://[64:ff9b:1::a00:1]:PORT/v1
https://[fe80::1]:PORT/v1
https://[fe80::1%25lo]:PORT/v1
https://[fec0::1]:PORT/v1
https://[fd00::1]:PORT/v1
https://[fd00:ec2::254]:PORT/v1
https://[fd20:ce::254]:PORT/v1
https://[ff02::1]:PORT/v1
https://[100::1]:PORT/v1
https://[2001:db8::1]:PORT/v1
https://[2001:0:7f00:1::1]:PORT/v1
https://169.254.169.254/latest/meta-data/
http://169.254.169.254/latest/meta-data/
https://169.254.170.2:PORT/v1
https://100.100.100.200:PORT/v1
https://168.63.129.16:PORT/v1
https://192.0.0.192:PORT/v1
https://10.0.0.1:PORT/v1
https://172.16.0.1:PORT/v1
https://192.168.0.1:PORT/v1
https://100.64.0.1:PORT/v1
https://198.18.0.1:PORT/v1
https://224.0.0.1:PORT/v1
https://240.0.0.1:PORT/v1
https://255.255.255.255:PORT/v1
https://2130706433:PORT/v1
https://0x7f000001:PORT/v1
https://017700000001:PORT/v1
https://0x7f.0.0.1:PORT/v1
https://0177.0.0.1:PORT/v1
https://127.1:PORT/v1
https://127.0.1:PORT/v1
https://0:PORT/v1
https://127.0.0.1.:PORT/v1
https://127.0.0.0x1:PORT/v1
https://00127.0.0.1:PORT/v1
https://１２７.0.0.1:PORT/v1
https://①②⑦.⓪.⓪.①:PORT/v1
https://127。0。0。1:PORT/v1
https://ｌｏｃａｌｈｏｓｔ:PORT/v1
https://loca\u00adlhost:PORT/v1
https://lo\u200bcalhost:PORT/v1
https://127%2e0%2e0%2e1:PORT/v1
https://%6c%6fcalhost:PORT/v1
https://api.example.com@127.0.0.1:PORT/v1
https://api.example.com:443@127.0.0.1:PORT/v1
https://user:secret@localhost:PORT/v1
https://@127.0.0.1:PORT/v1
https://127.0.0.1:PORT\\@api.example.com/v1
https://api.example.com\\@127.0.0.1:PORT/v1
https:\\\\127.0.0.1:PORT/v1
https:/127.0.0.1:PORT/v1
https:///127.0.0.1:PORT/v1
https:127.0.0.1:PORT/v1
//127.0.0.1:PORT/v1
https://127.0.0.1:PORT#@api.example.com/
https://api.example.com#@127.0.0.1:PORT/
https://127.0.0.1\t:PORT/v1
https://127.0.0.1\n:PORT/v1
https://127.0.0.1\x00:PORT/v1
https://127.0.0.1 :PORT/v1
https://127.0.0.1;:PORT/v1
https://[127.0.0.1]:PORT/v1
https://[::1:PORT/v1
https://::1:PORT/v1
ftp://127.0.0.1:PORT/v1
gopher://127.0.0.1:PORT/_GET
file:///etc/passwd
unix:///run/docker.sock
http+unix://%2Frun%2Fdocker.sock/v1
http://vllm.internal:PORT/v1
http://api.example.com/v1
""".strip("\n")
URLS = [
    line.encode().decode("unicode_escape") if "\\" in line else line
    for line in FORBIDDEN.split("\n")
]


class Listener:
    """A port on every address of this machine; `connections` is how many came."""

    def __init__(self) -> None:
        self.connections = 0

    async def start(self) -> None:
        both = socket.has_dualstack_ipv6()
        family = socket.AF_INET6 if both else socket.AF_INET
        sock = socket.create_server(("", 0), family=family, dualstack_ipv6=both)
        self.port = sock.getsockname()[1]
        self._server = await asyncio.start_server(self._count, sock=sock)

    async def stop(self) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def _count(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        writer.close()


class Names(AbstractResolver):
    """A resolver that answers each question with the next of its answers, the last for ever."""

    def __init__(self, *answers: list[str]) -> None:
        self._answers = list(answers)
        self.questions = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        addresses = self._answers[min(self.questions, len(self._answers) - 1)]
        self.questions += 1
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        pass


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    listener = Listener()
    await listener.start()
    yield listener
    await listener.stop()


async def asked_by(names: Names, url: str) -> list[Event]:
    """One call in which `names` knows the addresses."""
    async with new_client(AiohttpTransport(names)) as client:
        target = Target("openai", url)
        async with aclosing(stream(target, PROMPT, client=client, retries=NO_RETRIES)) as reads:
            return [event async for events in reads for event in events]


def refusal(events: list[Event]) -> Problem:
    assert isinstance(events[-1], Failed)
    return events[-1].problem


def test_the_corpus_is_as_large_as_it_says() -> None:
    assert len(set(URLS)) >= 90


async def test_the_listener_is_there_to_be_reached(listener: Listener, settings: Settings) -> None:
    settings.UPSTREAM_ALLOWED_HOSTS = ["127.0.0.1", "localhost"]

    for host in ("127.0.0.1", "localhost"):
        await ask(Target("openai", f"http://{host}:{listener.port}/v1"))

    assert listener.connections == 2


@pytest.mark.parametrize("url", URLS, ids=ascii)
async def test_a_forbidden_url_opens_no_connection(
    url: str, listener: Listener, settings: Settings
) -> None:
    settings.UPSTREAM_ALLOWED_HOSTS = []
    target = Target("openai", url.replace("PORT", str(listener.port)), api_key="sk-secret")

    problem = refusal(await ask(target))

    # Refused by us: a connection that was tried would be another kind of problem.
    assert problem.kind is Kind.NOT_FOUND, problem
    assert "secret" not in problem.message
    assert listener.connections == 0


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["::1"],
        ["::ffff:127.0.0.1"],
        ["169.254.169.254"],
        ["fe80::1"],
        ["10.1.2.3"],
        ["2002:7f00:1::"],
        ["64:ff9b::7f00:1"],
        ["8.8.8.8", "127.0.0.1"],
        ["127.0.0.1", "8.8.8.8"],
        ["0.0.0.0"],
    ],
    ids=str,
)
async def test_every_address_of_a_name_is_checked(
    addresses: list[str], listener: Listener, settings: Settings
) -> None:
    settings.UPSTREAM_ALLOWED_HOSTS = []
    url = f"https://innocent.example:{listener.port}/v1"

    problem = refusal(await asked_by(Names(addresses), url))

    assert problem.kind is Kind.NOT_FOUND
    assert listener.connections == 0


async def test_a_name_is_asked_about_once_and_the_connection_goes_to_what_was_checked(
    settings: Settings,
) -> None:
    names = Names(["127.0.0.1"], ["169.254.169.254"])
    async with upstream(answering(TOKEN + DONE)) as server:
        settings.UPSTREAM_ALLOWED_HOSTS = ["model.test"]
        events = await asked_by(names, f"http://model.test:{server.port}/v1")

    assert (names.questions, server.connections) == (1, 1)
    assert events[-1] == Completed(None)


async def test_a_name_that_changes_its_address_is_checked_anew(settings: Settings) -> None:
    names = Names(["127.0.0.1"], ["169.254.169.254"])
    async with upstream(answering(TOKEN + DONE)) as server:
        settings.UPSTREAM_ALLOWED_HOSTS = ["model.test"]
        url = f"http://model.test:{server.port}/v1"
        await asked_by(names, url)
        problem = refusal(await asked_by(names, url))

    assert server.connections == 1
    assert "no endpoint may have" in problem.message


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_leads_nowhere(status: int, listener: Listener) -> None:
    async def script(peer: Peer) -> None:
        location = f"Location: http://127.0.0.1:{listener.port}/\r\n"
        await peer.respond(status, b"", location)

    async with upstream(script) as server:
        problem = refusal(await ask(server.target(api_key="sk-secret")))

    assert problem.kind is Kind.PROTOCOL
    assert f"redirects ({status})" in problem.message
    assert listener.connections == 0


async def test_a_name_that_no_directory_can_hold_is_refused() -> None:
    problem = refusal(await ask(Target("openai", f"https://{'a' * 64}.example/v1")))

    assert "not a valid URL" in problem.message


@pytest.mark.parametrize(
    "host",
    ["169.254.169.254", "[fe80::1]", "0.0.0.0", "[::]", "224.0.0.1", "[fd00:ec2::254]"],
)
async def test_what_is_never_called_cannot_be_named(host: str, settings: Settings) -> None:
    settings.UPSTREAM_ALLOWED_HOSTS = [host, "0.0.0.0/0", "::/0"]

    problem = refusal(await ask(Target("openai", f"http://{host}:1/v1")))

    assert "no endpoint may have" in problem.message


@pytest.mark.parametrize(
    ("entries", "url", "is_allowed"),
    [
        ([], "https://api.example.com/v1", True),
        ([], "https://8.8.8.8/v1", True),
        ([], "https://[2600::1]/v1", True),
        ([], "http://api.example.com/v1", False),
        (["api.example.com"], "http://api.example.com/v1", True),
        (["API.example.com"], "http://api.EXAMPLE.com./v1", True),
        (["api.example.com:80"], "http://api.example.com/v1", True),
        (["api.example.com:8000"], "http://api.example.com/v1", False),
        (["example.com"], "http://api.example.com/v1", False),
        (["localhost:11434"], "http://localhost:11434/v1", True),
        (["localhost:11434"], "http://localhost:11435/v1", False),
        (["bücher.example"], "http://xn--bcher-kva.example/", True),
        (["10.0.0.0/8"], "http://10.9.8.7:8000/v1", True),
        (["10.0.0.0/8"], "https://10.9.8.7/v1", True),
        (["10.0.0.0/8"], "http://11.0.0.1/v1", False),
        (["10.0.0.0/8"], "http://[::ffff:10.9.8.7]/v1", True),
        (["10.0.0.5"], "http://10.0.0.5:8000/v1", True),
        (["[::1]:8000"], "http://[::1]:8000/v1", True),
        (["::1"], "http://[0:0::1]:8000/v1", True),
        (["fd00::/8"], "http://[fd12::1]/v1", True),
    ],
)
def test_what_the_variable_names_may_be_called(
    entries: list[str], url: str, is_allowed: bool, settings: Settings
) -> None:
    settings.UPSTREAM_ALLOWED_HOSTS = entries

    if is_allowed:
        check_url(httpx2.URL(url))
    else:
        with pytest.raises(InvalidInput, match="UPSTREAM_ALLOWED_HOSTS"):
            check_url(httpx2.URL(url))


@pytest.mark.parametrize(
    "entry",
    ["http://localhost:11434", "10.0.0.0/33", "10.0.0.1/8", "a b", "host:99999", "u@h", "*"],
)
def test_an_entry_that_is_none_is_told(entry: str) -> None:
    with pytest.raises(InvalidInput, match="Expected hosts, such as"):
        allowed_hosts((entry,))


def test_a_wrong_entry_keeps_a_production_server_from_starting(settings: Settings) -> None:
    settings.UPSTREAM_ALLOWED_HOSTS = ["localhost:11434", "10.0.0.0/8"]
    assert check_upstream_hosts(None) == []

    settings.UPSTREAM_ALLOWED_HOSTS = ["http://localhost:11434"]
    assert (
        "UPSTREAM_ALLOWED_HOSTS holds “http://localhost:11434”" in check_upstream_hosts(None)[0].msg
    )
