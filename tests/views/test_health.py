"""What load balancers, operators and Prometheus ask."""

import sqlite3
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.http import Http404
from django.test import AsyncClient, AsyncRequestFactory
from django.test.utils import CaptureQueriesContext
from prometheus_client.parser import text_string_to_metric_families

from chatapp.events import Usage
from chatapp.generation import redis_client, registry
from chatapp.metrics import count_reply
from chatapp.models import Endpoint
from chatapp.views import health
from tests.tab import Tab

Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


async def test_an_alive_process_says_so() -> None:
    answer = await AsyncClient().get("/healthz")

    assert (answer.status_code, answer.content) == (200, b"ok\n")


@pytest.mark.usefixtures("transactional_db")
async def test_a_ready_process_names_its_parts(settings: Any) -> None:
    settings.REDIS_URL = ""
    answer = await AsyncClient().get("/readyz")

    assert answer.status_code == 200
    assert answer.json() == {"database": "ok", "redis": "not used", "draining": "no"}


@pytest.mark.usefixtures("transactional_db")
async def test_a_missing_redis_is_said_but_one_can_chat(settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    answer = await AsyncClient().get("/readyz")
    await redis_client.close()

    assert answer.status_code == 200
    assert answer.json()["redis"].startswith("unreachable")


def test_migrations_are_looked_for_until_they_are_there(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "_is_migrated", False)
    recorder = MigrationRecorder(connection)
    latest = recorder.migration_qs.filter(app="chatapp").latest("name").name
    recorder.record_unapplied("chatapp", latest)
    assert health._is_usable() == "migrations missing"

    recorder.record_applied("chatapp", latest)
    assert health._is_usable() == "ok"
    with CaptureQueriesContext(connection) as asked:
        assert health._is_usable() == "ok"
    assert not any("django_migrations" in query["sql"] for query in asked)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="locks an SQLite file")
async def test_a_database_that_can_only_be_read_is_not_ready(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "PATIENCE_S", 0.3)
    lock = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    during = await AsyncClient().get("/readyz")
    lock.execute("COMMIT")
    lock.close()
    after = await AsyncClient().get("/readyz")

    assert (during.status_code, after.status_code) == (503, 200)
    assert during.json()["database"] == "no answer within 0.3 s"


@pytest.mark.skipif(connection.vendor != "postgresql", reason="as after a failover")
def test_a_standby_is_not_ready(transactional_db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
        with pytest.raises(DatabaseError):
            health._is_usable()
        cursor.execute("SET default_transaction_read_only = off")


async def test_a_process_that_ends_is_not_ready(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "_is_draining", True)
    answer = await AsyncClient().get("/readyz")

    assert (answer.status_code, answer.json()["draining"]) == (503, "yes")


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
async def test_probes_ask_by_address_over_plain_http(
    path: str, transactional_db: None, settings: Any
) -> None:
    settings.SECURE_SSL_REDIRECT = True
    answer = await AsyncClient().get(path, headers={"Host": "10.1.2.3:8000"})

    assert answer.status_code == 200
    assert not answer.cookies


@pytest.mark.parametrize(
    ("address", "headers", "is_open"),
    [
        ("127.0.0.1", {}, True),
        ("::1", {}, True),
        ("::ffff:127.0.0.1", {}, True),
        ("203.0.113.9", {}, False),
        ("127.0.0.1", {"X-Forwarded-For": "203.0.113.9"}, False),
        ("127.0.0.1", {"X-Forwarded-Proto": "https"}, False),
        ("203.0.113.9", {"Authorization": "Bearer a long token"}, True),
        ("203.0.113.9", {"Authorization": "Bearer another"}, False),
        ("203.0.113.9", {"Authorization": "Bearer "}, False),
        ("203.0.113.9", {"Authorization": "Basic a long token"}, False),
    ],
)
async def test_numbers_are_for_networks_and_tokens_that_are_named(
    address: str, headers: dict[str, str], is_open: bool, settings: Any
) -> None:
    settings.METRICS_TOKEN = "a long token"
    request = AsyncRequestFactory().get("/metrics", headers=headers)
    request.META["REMOTE_ADDR"] = address

    if is_open:
        assert (await health.metrics(request)).status_code == 200
    else:
        with pytest.raises(Http404):
            await health.metrics(request)


async def test_without_a_token_none_opens_the_numbers(settings: Any) -> None:
    settings.METRICS_TOKEN = ""
    settings.METRICS_NETWORKS = []
    for said in ("Bearer ", "Bearer", "Bearer x"):
        answer = await AsyncClient().get("/metrics", headers={"Authorization": said})
        assert answer.status_code == 404


async def series() -> Series:
    """Every number, by its name and labels."""
    text = (await AsyncClient().get("/metrics")).content.decode()
    samples = [s for family in text_string_to_metric_families(text) for s in family.samples]
    return {(s.name, frozenset(s.labels.items())): s.value for s in samples}


async def test_replies_are_counted_at_their_end(
    endpoint: Endpoint, alice: User, tab_of: Callable[..., Tab]
) -> None:
    def grown(name: str, **labels: str) -> float:
        key = name, frozenset(({"endpoint": "scripted"} | labels).items())
        return after.get(key, 0) - before.get(key, 0)

    before = await series()
    async with tab_of(alice) as tab:
        await tab.say("/echo one two three")
        await tab.until(lambda page: page.status == "complete")
        assert (await series())[
            "chatapp_sockets", frozenset({("page", "ConversationConsumer")})
        ] == 1
        await tab.say("/fault 429")
        await tab.until(lambda page: page.status == "error")
    after = await series()

    assert grown("chatapp_replies_total", status="complete") == 1
    assert grown("chatapp_replies_total", status="error") == 1
    assert grown("chatapp_reply_errors_total", kind="rate_limit") == 1
    assert grown("chatapp_first_token_seconds_count") == 1
    assert grown("chatapp_token_seconds_count") == 1
    assert grown("chatapp_reply_seconds_count") == 2
    assert grown("chatapp_tokens_total", direction="output") > 0
    assert after["chatapp_replies_running", frozenset()] == 0
    assert after["chatapp_sockets", frozenset({("page", "ConversationConsumer")})] == 0


@pytest.mark.usefixtures("transactional_db")
async def test_the_process_tells_of_itself() -> None:
    await AsyncClient().get("/readyz")
    names = {name for name, _labels in await series()}

    assert {"chatapp_build_info", "chatapp_event_loop_lag_seconds_count"} <= names
    assert {"chatapp_database", "process_resident_memory_bytes"} <= names


async def test_labels_name_no_people_and_no_conversations(
    endpoint: Endpoint, alice: User, tab_of: Callable[..., Tab]
) -> None:
    async with tab_of(alice) as tab:
        await tab.say("/echo x")
        await tab.until(lambda page: page.status == "complete")
    labels = {label for _name, pairs in await series() for label, _value in pairs}

    assert labels <= {
        *("endpoint", "status", "kind", "direction", "page", "what", "le", "version", "django"),
        *("generation", "implementation", "major", "minor", "patchlevel"),
    }


async def test_a_reply_that_never_began_is_counted_as_well() -> None:
    nothing = {"status": "stopped", "arrivals": {"counts": []}}
    count_reply("nowhere", nothing, Usage(None, None))

    endpoint = ("endpoint", "nowhere")
    assert {key: value for key, value in (await series()).items() if endpoint in key[1]} == {
        ("chatapp_replies_total", frozenset({endpoint, ("status", "stopped")})): 1,
        ("chatapp_tokens_total", frozenset({endpoint, ("direction", "input")})): 0,
        ("chatapp_tokens_total", frozenset({endpoint, ("direction", "output")})): 0,
    }


async def test_of_a_reply_that_was_continued_only_the_new_tokens_are_counted() -> None:
    ended = {
        "status": "complete",
        "arrivals": {"counts": []},
        "input_tokens": 220,
        "output_tokens": 1050,
    }
    count_reply("continued", ended, Usage(100, 1000))

    pairs = {"endpoint": "continued"}
    found = await series()
    directions = {"input": 120, "output": 50}
    for direction, tokens in directions.items():
        name = ("chatapp_tokens_total", frozenset({**pairs, "direction": direction}.items()))
        assert found[name] == tokens
