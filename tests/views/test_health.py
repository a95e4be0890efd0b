"""What load balancers and operators ask."""

from typing import Any

import pytest
from django.test import AsyncClient

from chatapp.generation import redis_client


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
