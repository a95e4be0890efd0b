"""What an operator writes into the environment, what it means, and what is refused."""

import os
import subprocess
import sys
from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from chatapp import environment

ROOT = Path(__file__).parent.parent

SWITCH = (lambda: environment.switch("X", default=True), True)
NUMBER = (lambda: environment.whole("X", 5, least=1, most=10, of="days"), 5)
LIMIT = (lambda: environment.limit("X"), None)
SECONDS = (lambda: environment.seconds("X", 8, most=60), 8)
WORD = (lambda: environment.one_of("X", ["INFO", "DEBUG"], "INFO"), "INFO")
WORDS = (lambda: environment.words("X", ["a"]), ["a"])
NETWORKS = (lambda: environment.networks("X", ["::1"]), [ip_network("::1")])
HOSTS = (lambda: environment.hosts("X", ["localhost", "[::1]"]), ["localhost", "[::1]"])
ORIGINS = (lambda: environment.origins("X"), [])
REDIS = (lambda: environment.redis_url("X"), "")

Kind = tuple[Callable[[], Any], Any]


@pytest.mark.parametrize(
    "kind", [SWITCH, NUMBER, LIMIT, SECONDS, WORD, WORDS, NETWORKS, HOSTS, ORIGINS, REDIS]
)
@pytest.mark.parametrize("said", [None, "", " "])
def test_what_is_empty_is_as_if_it_were_not_there(
    kind: Kind, said: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if said is not None:
        monkeypatch.setenv("X", said)
    read, default = kind

    assert read() == default


def test_an_empty_limit_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert environment.limit("X", 10) == 10
    monkeypatch.setenv("X", "")
    assert environment.limit("X", 10) is None


@pytest.mark.parametrize(
    ("kind", "said", "meant"),
    [
        (SWITCH, "Off", False),
        (SWITCH, "1", True),
        (NUMBER, " 10 ", 10),
        (LIMIT, "0", 0),
        (SECONDS, "0.5", 0.5),
        (WORD, "debug", "DEBUG"),
        (WORDS, "b, c,", ["b", "c"]),
        (NETWORKS, "10.1.2.3/8", [ip_network("10.0.0.0/8")]),
        (HOSTS, "*,.example.org,[2001:db8::1]", ["*", ".example.org", "[2001:db8::1]"]),
        (ORIGINS, "https://*.example.org:8443", ["https://*.example.org:8443"]),
        (REDIS, "rediss://:pass@cache:6380/1", "rediss://:pass@cache:6380/1"),
    ],
)
def test_what_can_be_meant_is(
    kind: Kind, said: str, meant: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("X", said)

    assert kind[0]() == meant


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (SWITCH, "ture"),
        (SWITCH, "yep"),
        (NUMBER, "0"),
        (NUMBER, "11"),
        (NUMBER, "-1"),
        (NUMBER, "²"),
        (NUMBER, "9" * 5000),
        (LIMIT, "-1"),
        (LIMIT, "many"),
        (SECONDS, "-1"),
        (SECONDS, "nan"),
        (SECONDS, "8s"),
        (WORD, "xml"),
        (NETWORKS, "10.0.0.0/99"),
        (HOSTS, "https://example.org"),
        (HOSTS, "example.org:8000"),
        (ORIGINS, "example.org"),
        (REDIS, "localhost:6379"),
        (REDIS, "http://x"),
        (REDIS, "redis://x:port"),
    ],
)
def test_what_cannot_is_refused_by_name(
    kind: Kind, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("X", said)

    with pytest.raises(ImproperlyConfigured, match=r"^X has to be .*\.$"):
        kind[0]()


@pytest.mark.parametrize(
    "said", ["nonsense", "mysql://a:secret@b/c", "sqlite://lost.sqlite3", "postgres://a:secret@b"]
)
def test_a_database_that_is_none_of_ours_is_refused_without_its_password(
    said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("X", said)

    with pytest.raises(ImproperlyConfigured, match=r"^X has to be sqlite:///PATH") as refused:
        environment.database("X", default=tmp_path)
    assert "secret" not in str(refused.value)


def test_a_password_of_a_database_may_hold_any_character(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("X", "postgres://u:p[w@h/chat")

    found = environment.database("X", default=tmp_path)

    assert (found["HOST"], found["USER"], found["PASSWORD"]) == ("h", "u", "p[w")


def manage(*arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(ROOT / "manage.py"), *arguments]
    bare = {"PATH": os.environ["PATH"], "SECRET_KEY": "x" * 50}
    return subprocess.run(
        command, env=bare | variables, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize(
    ("command", "name", "said"),
    [
        ("serve", "HTTPS", "ture"),
        ("serve", "REDIS_URL", "localhost:6379"),
        ("demo", "PORT", "0"),
        ("prune", "RETENTION_DAYS", "99999999999"),
        ("migrate", "DATABASE_URL", "nonsense"),
        ("check", "ALLOWED_HOSTS", "https://example.org"),
    ],
)
def test_a_command_says_it_in_one_line(command: str, name: str, said: str) -> None:
    done = manage(command, **{name: said})

    assert done.returncode == 1
    assert done.stderr.startswith(f"{name} has to be ") and done.stderr.count("\n") == 1


@pytest.mark.parametrize(("demo", "file"), [("on", "demo.sqlite3"), ("off", "db.sqlite3")])
def test_the_demo_has_a_database_of_its_own(demo: str, file: str) -> None:
    script = "from django.conf import settings; print(settings.DATABASES['default']['NAME'])"

    done = manage("shell", "-v0", "-c", script, DEMO=demo)

    assert done.stdout.strip() == str(ROOT / file), done.stderr


def test_all_that_the_example_shows_is_understood() -> None:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    shown = [line.removeprefix("# ") for line in lines]
    variables = dict(line.split("=", 1) for line in shown if line.split("=")[0].isupper())

    done = manage("check", **variables)

    assert len(variables) > 30
    assert done.returncode == 0, done.stderr
