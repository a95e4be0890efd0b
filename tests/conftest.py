"""What every test may use: people, the scripted model, endpoints and tabs."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from uuid import UUID

import pytest
import pytest_django
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.db import connection
from django.test import AsyncClient

from chatapp.database import close_connections
from chatapp.demo.server import DemoServer, start
from chatapp.generation import registry, upkeep
from chatapp.models import AuditEvent, Conversation, Endpoint
from chatapp.upstream.http import close_client
from tests.tab import Tab, sign_in


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the tests that touch the database, so that another one can be put under them."""
    for item in items:
        if "transactional_db" in getattr(item, "fixturenames", ()):
            item.add_marker("database")


@pytest.fixture(scope="session")
def django_db_setup(
    django_db_setup: None, django_db_blocker: pytest_django.DjangoDbBlocker
) -> Iterator[None]:
    """PostgreSQL drops a database only when no thread holds a connection to it any more."""
    yield
    with django_db_blocker.unblock():
        asyncio.run(close_connections())
        asyncio.run(sync_to_async(lambda: connection.close())())
        if connection.vendor == "postgresql":
            _end_sessions()


def _end_sessions() -> None:
    """Those of threads that have ended: nobody is left to close their connections."""
    with connection.cursor() as cursor:
        others = "datname = current_database() AND pid <> pg_backend_pid()"
        cursor.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")
    connection.close()


@pytest.fixture(autouse=True)
def _deeds_forgotten(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test's database is emptied after it, which audit events on SQLite would refuse."""
    has_database = "transactional_db" in request.fixturenames
    if has_database:
        request.getfixturevalue("transactional_db")
    yield
    if has_database and connection.vendor == "sqlite":
        _forget_deeds()


def _forget_deeds() -> None:
    trigger = "chatapp_auditevent_stays"
    with connection.cursor() as cursor:
        cursor.execute("SELECT sql FROM sqlite_master WHERE name = %s", [trigger])
        (made,) = cursor.fetchone()
        if AuditEvent.objects.exists():
            cursor.execute(f"DROP TRIGGER {trigger}")
            cursor.execute("DELETE FROM chatapp_auditevent")
            cursor.execute(made)


@pytest.fixture(autouse=True)
def _nothing_left_over(request: pytest.FixtureRequest) -> None:
    if inspect.iscoroutinefunction(getattr(request.node, "obj", None)):
        request.getfixturevalue("_ended_with_its_loop")


@pytest.fixture
async def _ended_with_its_loop() -> AsyncIterator[None]:
    """What works on in the background, and Redis's client, live as long as their event loop."""
    yield
    await upkeep.stop()


@pytest.fixture(autouse=True)
def _allowed_host(settings: object) -> None:
    settings.ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]  # type: ignore[attr-defined]


@pytest.fixture
def alice(transactional_db: None) -> User:
    return User.objects.create_user("alice", password="correct horse")


@pytest.fixture
async def browser(alice: User) -> AsyncClient:
    """Alice, signed in, without scripts."""
    client = AsyncClient()
    await client.aforce_login(alice)
    return client


@pytest.fixture
def bob(transactional_db: None) -> User:
    return User.objects.create_user("bob", password="battery staple")


@pytest.fixture
async def model() -> AsyncIterator[DemoServer]:
    """The scripted model, over real HTTP; replies that still run are ended afterwards."""
    server = await start()
    yield server
    await registry.drain(0)
    await close_client()
    await server.stop()


@pytest.fixture
async def endpoint(model: DemoServer, transactional_db: None) -> Endpoint:
    return await Endpoint.objects.acreate(
        name="scripted",
        protocol="openai",
        url=model.url("openai"),
        model="scripted",
        options={"titles": False},  # calls are counted
    )


@pytest.fixture
def conversation(alice: User) -> Conversation:
    """A conversation of Alice's without messages."""
    return Conversation.objects.create(owner=alice)


@pytest.fixture
def tab_of(conversation: Conversation) -> Callable[..., Tab]:
    """`tab_of(user)`: a tab of the user's, on Alice's conversation unless told otherwise."""
    keys: dict[int, str] = {}

    def tab(user: User, conversation_id: UUID | None = None, **options: str) -> Tab:
        return Tab(conversation_id or conversation.pk, keys[user.pk], **options)

    for user in User.objects.all():
        keys[user.pk] = sign_in(user)
    return tab
