"""`manage.py chat` and `manage.py endpoint`, as a person at a terminal uses them."""

import asyncio
import contextlib
import fcntl
import json
import os
import signal
import struct
import sys
import termios
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from chatapp.demo.server import DemoServer
from chatapp.models import Endpoint

ROOT = Path(__file__).parent.parent


async def chat(
    *arguments: str, stdin: bytes = b"", interrupt_after: bytes = b""
) -> tuple[int, str, str]:
    """Runs `manage.py chat`; Ctrl-C once `interrupt_after` was printed. Code, output, errors."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "manage.py",
        "chat",
        *arguments,
        "--settings",
        "tests.settings",
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    head = b""
    if interrupt_after:
        assert process.stdout is not None
        while interrupt_after not in head:
            head += await process.stdout.read(1)
        process.send_signal(signal.SIGINT)
    out, err = await process.communicate(stdin)
    assert process.returncode is not None
    return process.returncode, (head + out).decode(), err.decode()


def unread(pipe: int) -> int:
    """The bytes in a pipe that its reader has not taken yet."""
    size = fcntl.ioctl(pipe, termios.FIONREAD, struct.pack("i", 0))
    return int(struct.unpack("i", size)[0])


def heeding_ctrl_c() -> None:
    """Whoever starts tests in the background has it ignored, and all their children with them."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def at(model: DemoServer, protocol: str = "openai") -> list[str]:
    return ["--protocol", protocol, "--url", model.url(protocol), "--model", "scripted"]


@pytest.mark.parametrize("protocol", ["openai", "anthropic", "truss", "cerebrium"])
async def test_an_answer_is_printed(protocol: str, model: DemoServer) -> None:
    code, out, _ = await chat("/echo héllo 🌊", *at(model, protocol))

    assert code == 0
    assert out.strip() == "héllo 🌊"


async def test_json_says_everything_line_by_line(model: DemoServer) -> None:
    code, out, _ = await chat("-", "--json", *at(model), stdin=b"/pace max /reason /tokens 30")

    *deltas, end = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert {delta["type"] for delta in deltas} == {"reasoning", "text"}
    assert end["type"] == "end" and end["status"] == "complete" and end["finish"] == "stop"
    assert end["usage"]["output"] > 0 and end["error"] is None
    assert end["timing"]["total_ms"] >= end["timing"]["ttft_ms"] > 0


async def test_errors_and_cuts_have_codes_of_their_own(model: DemoServer) -> None:
    error, out, _ = await chat("/fault 401", "--json", *at(model))
    cut, _, err = await chat("/pace max /fault cut", *at(model))

    end = json.loads(out.splitlines()[-1])
    assert (error, cut) == (1, 3)
    assert (end["error"]["kind"], end["error"]["http_status"]) == ("auth", 401)
    assert "ended early" in err


async def test_ctrl_c_stops_and_keeps_what_was_printed(model: DemoServer) -> None:
    code, out, _ = await chat(
        "/tokens 50000 /pace 50 /delay 0", "--json", *at(model), interrupt_after=b"text"
    )

    assert code == 130
    assert json.loads(out.splitlines()[-1])["status"] == "stopped"


async def test_ctrl_c_while_the_prompt_is_read_ends_quietly(model: DemoServer) -> None:
    command = ["manage.py", "chat", "-", *at(model), "--settings", "tests.settings"]
    reader, writer = os.pipe()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *command,
        cwd=ROOT,
        stdin=reader,
        stderr=asyncio.subprocess.PIPE,
        preexec_fn=heeding_ctrl_c,
    )
    os.close(reader)
    try:
        os.write(writer, b"begun")
        async with asyncio.timeout(30):
            while unread(writer):  # before that, Python is still starting
                await asyncio.sleep(0.05)
            process.send_signal(signal.SIGINT)
            _, errors = await process.communicate()
    finally:
        os.close(writer)
        with contextlib.suppress(ProcessLookupError):
            process.kill()

    assert (process.returncode, errors) == (130, b"")


def test_what_to_do_with_endpoints_is_asked_for() -> None:
    with pytest.raises(CommandError, match=r"required: set\|list"):
        call_command("endpoint")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["hi", "--protocol", "openai", "--url", "nonsense"], "https:// or http://"),
        (["  ", "--protocol", "openai", "--url", "http://127.0.0.1:9/v1"], "empty"),
        (
            [
                "hi",
                "--protocol",
                "openai",
                "--url",
                "https://x.test/",
                "--api-key-env",
                "SECRET_KEY",
            ],
            "_API_KEY or _TOKEN",
        ),
        (
            [
                "hi",
                "--protocol",
                "openai",
                "--url",
                "https://x.test/",
                "--api-key-env",
                "NO_API_KEY",
            ],
            "not set",
        ),
        (
            ["hi", "--protocol", "openai", "--url", "https://x.test/", "--option", "framing"],
            "NAME=VALUE",
        ),
        (["hi", "--protocol", "openai"], "--protocol alone is no endpoint: add --url."),
        (["hi", "--model", "m"], "--model alone is no endpoint: add --protocol, --url."),
    ],
)
async def test_bad_arguments_get_a_sentence_not_a_traceback(
    arguments: list[str], sentence: str
) -> None:
    code, _, err = await chat(*arguments)

    assert code == 1
    assert sentence in err and "Traceback" not in err


async def test_a_refused_connection_is_told_in_words() -> None:
    code, _, err = await chat("hi", "--protocol", "openai", "--url", "http://127.0.0.1:9/v1")

    assert code == 1
    assert "refused" in err


def test_endpoints_are_set_listed_and_removed(db: None, capsys: pytest.CaptureFixture[str]) -> None:
    call_command(
        "endpoint", "set", "vllm", "--protocol", "openai", "--url", "http://127.0.0.1:8000/v1"
    )
    call_command("endpoint", "set", "vllm", "--model", "llama")
    call_command("endpoint", "list")
    listed = capsys.readouterr().out

    assert "vllm" in listed and "llama" in listed
    assert Endpoint.objects.get().url == "http://127.0.0.1:8000/v1"
    call_command("endpoint", "remove", "vllm")
    assert not Endpoint.objects.exists()
    with pytest.raises(CommandError, match="no endpoint named"):
        call_command("endpoint", "remove", "vllm")


def test_an_endpoint_that_could_not_be_called_is_not_stored(db: None) -> None:
    for arguments in (
        ["--protocol", "openai", "--url", "gopher://x"],
        ["--protocol", "openai"],
        ["--url", "https://x.test"],
        ["--protocol", "truss", "--url", "https://x.test/", "--option", "framing=morse"],
    ):
        with pytest.raises(CommandError):
            call_command("endpoint", "set", "bad", *arguments)

    assert not Endpoint.objects.exists()


def test_a_command_does_not_take_a_key_elsewhere_unless_it_is_named_again(db: None) -> None:
    described = ["--protocol", "openai", "--url", "https://one.test/v1", "--api-key-env", "A_TOKEN"]
    call_command("endpoint", "set", "one", *described)

    with pytest.raises(CommandError, match="The key in A_TOKEN would go to another address"):
        call_command("endpoint", "set", "one", "--url", "https://two.test/v1")
    assert Endpoint.objects.get().url == "https://one.test/v1"

    call_command(
        "endpoint", "set", "one", "--url", "https://two.test/v1", "--api-key-env", "A_TOKEN"
    )
    call_command("endpoint", "set", "one", "--url", "https://three.test/v1", "--api-key-env", "")
    call_command("endpoint", "set", "one", "--url", "https://four.test/v1")
    assert Endpoint.objects.get().url == "https://four.test/v1"


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("http://api.example.com/v1", "UPSTREAM_ALLOWED_HOSTS"),
        ("https://10.0.0.1/v1", "private address"),
        ("https://169.254.169.254/", "no endpoint may have"),
    ],
)
def test_a_command_refuses_addresses_as_the_form_does(url: str, sentence: str, db: None) -> None:
    with pytest.raises(CommandError, match=sentence):
        call_command("endpoint", "set", "bad", "--protocol", "openai", "--url", url)

    assert not Endpoint.objects.exists()
