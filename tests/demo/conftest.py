"""A scripted model on a free port of loopback, for each test its own."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from chatapp.demo.server import DemoServer, start


@pytest.fixture
async def server() -> AsyncIterator[DemoServer]:
    server = await start()
    yield server
    await server.stop()


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(timeout=10) as client:
        yield client
