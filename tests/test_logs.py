"""Lines of log name their request and reply, and tell no key and no prompt."""

import asyncio
import json
import logging
import logging.config
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import DataError, IntegrityError, OperationalError
from django.test import AsyncClient

from chatapp import logs
from chatapp.generation import registry
from chatapp.logs import HIDDEN, Json, Line, Text
from chatapp.models import Endpoint
from tests.tab import Tab

KEY = "canary/key+qzxqzx"
PROMPT = "the prompt that nobody reads"

logger = logging.getLogger("tests.logs")


@pytest.fixture(autouse=True)
def _no_request() -> None:
    """Requests of other tests may have begun in this thread."""
    logs.current.set(logs.NOTHING)


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., list[str]]]:
    """`lines()`: what was written so far by the root's only handler."""
    monkeypatch.setenv("CANARY_API_KEY", KEY)
    out = StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(Json())
    root = logging.getLogger()
    root.addHandler(handler)
    yield lambda: out.getvalue().splitlines()
    root.removeHandler(handler)


def written(line: Line, message: Any, *args: Any, **options: Any) -> str:
    out = StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(line)
    logger.addHandler(handler)
    logger.propagate = False
    try:
        logger.error(message, *args, **options)
    finally:
        logger.removeHandler(handler)
        logger.propagate = True
    return out.getvalue()


def raised(error: BaseException, line: Line | None = None) -> str:
    """The line of an exception that was raised and logged."""
    try:
        raise error
    except BaseException:
        return written(line or Text(), "it broke", exc_info=True)


def test_a_line_of_json_is_an_object_with_what_machines_ask_for() -> None:
    told = json.loads(written(Json(), "%d %s\nand “more”", 3, "things"))

    assert told.pop("time").endswith("+00:00")
    assert told == {
        "level": "ERROR",
        "logger": "tests.logs",
        "message": "3 things\nand “more”",
    }


def test_a_line_of_text_stays_one_line() -> None:
    line = written(Text(), "a\r\nERROR b\x1b[1m\u2028")

    assert line.endswith("ERROR tests.logs a\\r\\nERROR b\\x1b[1m\\u2028\n")


def test_a_percent_sign_or_arguments_that_do_not_fit_break_nothing() -> None:
    assert "100% done" in written(Text(), "100% done")
    assert "(its arguments do not fit)" in written(Text(), "%d", "x")
    assert "a=1" in written(Text(), "a=%(a)s", {"a": 1})


@pytest.mark.parametrize(
    "secret",
    [
        KEY,
        "canary%2Fkey%2Bqzxqzx",
        "sk-proj-qzxabcdef_x",
        "Bearer qzx.def-ghi",
        "Api-Key qzx.efgh",
        "'cookie': 'sessionid=qzx; a=b'",
        "(b'authorization', b'qzx qzx')",
        "Cookie: a=qzx; b=qzx",
        "sessionid=qzxabc",
        "postgres://me:qzxword@host/db",
        "x-api-key: qzx",
        "own-secret-qzx",
    ],
)
@pytest.mark.parametrize("kind", [Text, Json])
def test_what_is_secret_is_crossed_out(
    secret: str, kind: type[Line], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANARY_API_KEY", KEY)
    line = kind(secrets=["own-secret-qzx"])

    for told in (
        written(line, f"before {secret}\nafter"),
        written(line, "before %s", secret),
        raised(OSError(f"before {secret}"), line),
    ):
        assert HIDDEN in told and "before" in told
        assert "qzx" not in told


def test_ordinary_words_stay() -> None:
    words = "GET /c/task-list-of-bears/ 200: the basics, a cookie and 12 bearers at http://a:80/"

    assert words in written(Text(), words)


PSYCOPG = psycopg.errors.NotNullViolation(
    f"null value in a column\nDETAIL:  Failing row ({PROMPT})"
)


@pytest.mark.parametrize(
    "error",
    [
        ValueError(f"no number: {PROMPT}"),
        KeyError(PROMPT),
        RuntimeError(PROMPT),
        TypeError(f"Field 'id' expected a number but got {PROMPT!r}."),
        DataError(f'invalid input syntax for type integer: "{PROMPT}"'),
        IntegrityError(f"null value in a column\nDETAIL:  Failing row contains ({PROMPT})"),
        PSYCOPG,
        ExceptionGroup(PROMPT, [ValueError(PROMPT)]),
        UnicodeEncodeError("ascii", PROMPT, 0, 1, "too much"),
    ],
)
def test_exceptions_are_told_without_the_data_they_met(error: Exception) -> None:
    for told in (
        raised(error),
        written(Text(), error),
        written(Text(), "broken: %s", error),
    ):
        assert PROMPT not in told
        assert type(error).__name__ in told


def test_a_chain_of_exceptions_is_told_whole_and_without_their_words() -> None:
    try:
        try:
            int(PROMPT)
        except ValueError as error:
            error.add_note(PROMPT)
            raise OperationalError("database is locked") from error
    except OperationalError as error:
        error.__context__ = ValueError(PROMPT)
        told = raised(error)

    assert PROMPT not in told
    assert "ValueError (its words are left out)\nwhich led to\n" in told
    assert "int(PROMPT)" in told and "OperationalError: database is locked" in told


def test_debugging_tells_the_words() -> None:
    assert PROMPT in raised(ValueError(PROMPT), Text(tells_all=True))


async def test_a_task_that_nobody_waited_for_tells_no_words(lines: Callable[[], list[str]]) -> None:
    async def fail() -> None:
        raise ValueError(PROMPT)

    task = asyncio.create_task(fail())
    await asyncio.sleep(0)
    del task
    await asyncio.sleep(0)

    told = json.loads(lines()[-1])
    assert told["message"] == "Task exception was never retrieved"
    assert "raise ValueError(PROMPT)" in told["trace"]
    assert PROMPT not in "".join(lines())


def test_every_handler_that_is_configured_writes_such_lines() -> None:
    before = logging.getLogger("django").handlers[:]
    try:
        logging.config.dictConfig(settings.LOGGING)
        loggers = [logging.getLogger(name) for name in ("", *logging.root.manager.loggerDict)]
        handlers = {
            h for each in loggers for h in each.handlers if "pytest" not in type(h).__module__
        }
        handlers = {h for h in handlers if not isinstance(h, logging.NullHandler)}
        assert handlers
        assert all(isinstance(handler.formatter, Line) for handler in handlers)
    finally:
        logging.getLogger("django").handlers = before


@pytest.mark.parametrize("given", ["", "short", "x" * 65, "two words", "new\nline-line"])
async def test_a_request_gets_an_id_unless_it_has_a_good_one(given: str) -> None:
    made = (await AsyncClient().get("/healthz", headers={"X-Request-ID": given}))["X-Request-ID"]
    kept = await AsyncClient().get("/healthz", headers={"X-Request-ID": "edge:12.34-a"})

    assert len(made) == 16 and made != given
    assert kept["X-Request-ID"] == "edge:12.34-a"


@pytest.mark.urls("tests.views.broken")
async def test_what_breaks_within_a_request_names_it(lines: Callable[[], list[str]]) -> None:
    client = AsyncClient(raise_request_exception=False)
    answer = await client.get("/broken/", headers={"X-Request-ID": "edge-4711"})

    told = json.loads(next(line for line in lines() if "RuntimeError" in line))
    assert answer["X-Request-ID"] == told["request"] == "edge-4711"
    assert told["message"] == "Internal Server Error: /broken/"
    assert "broken on purpose" not in told["trace"].replace('"broken on purpose"', "")


async def test_the_end_of_a_reply_names_it_and_who_asked(
    endpoint: Endpoint, alice: User, tab_of: Callable[..., Tab], lines: Callable[[], list[str]]
) -> None:
    async with tab_of(alice) as tab:
        await tab.say(f"/echo {PROMPT}")
        await tab.until(lambda page: page.status == "complete")

    ended = [json.loads(line) for line in lines() if "chatapp.generation.registry" in line]
    assert [line["message"] for line in ended] == ["reply ended: complete at scripted"]
    assert UUID(ended[0]["generation"]) and len(ended[0]["request"]) == 16
    assert PROMPT not in "".join(lines())


def test_ids_are_those_of_the_reply_within_the_request() -> None:
    name, reply_id = logs.begin_request(None), uuid4()

    assert logs.of_generation(reply_id) == (name, str(reply_id))


async def test_a_probe_that_hears_no_leaves_no_error(
    transactional_db: None, lines: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "_is_draining", True)

    assert (await AsyncClient().get("/readyz")).status_code == 503

    assert [line for line in lines() if "readyz" in line] == []
