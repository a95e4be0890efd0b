"""A replay server and a client that is closed again, for every test of the wire."""

from collections.abc import AsyncIterator

import pytest

from chatapp.upstream.http import close_client
from tests.upstream.replay import Fixture, Replay, load

FIXTURES = load()


@pytest.fixture(params=FIXTURES.values(), ids=FIXTURES.keys())
def fixture(request: pytest.FixtureRequest) -> Fixture:
    """Each recorded response in turn."""
    found: Fixture = request.param
    return found


@pytest.fixture
async def replay(_closed_client: None) -> AsyncIterator[Replay]:
    """A running replay server of all fixtures."""
    server = Replay(dict(FIXTURES))
    await server.start()
    yield server
    await server.stop()


@pytest.fixture(autouse=True)
async def _closed_client() -> AsyncIterator[None]:
    yield
    await close_client()
