"""The demo's endpoints show a newcomer what settings do."""

import httpx2
import pytest
from pytest_django import Settings

from chatapp.demo.endpoints import NAMES, OPTIONS, start_model
from chatapp.errors import InvalidInput
from chatapp.generation.calls import check_endpoint
from chatapp.models import Endpoint
from chatapp.upstream.addresses import check_url
from chatapp.upstream.options import check_options


@pytest.mark.parametrize("protocol", NAMES)
def test_their_options_are_such_as_an_administrator_could_give(protocol: str) -> None:
    check_options(protocol, OPTIONS[protocol])


def test_they_differ_in_what_they_allow() -> None:
    efforts = [tuple(options.get("reasoning_efforts", ())) for options in OPTIONS.values()]

    assert len(set(efforts)) > 2
    assert any("temperature" in options.get("limits", {}) for options in OPTIONS.values())


async def test_the_demo_may_call_its_own_model_and_nothing_beside_it(
    transactional_db: None, settings: Settings
) -> None:
    settings.UPSTREAM_ALLOWED_HOSTS = []

    model = await start_model()
    try:
        endpoints = [endpoint async for endpoint in Endpoint.objects.all()]
        for endpoint in endpoints:
            check_endpoint(endpoint)
        with pytest.raises(InvalidInput, match="private address"):
            check_url(httpx2.URL(f"http://127.0.0.1:{model.port - 1}/"))
    finally:
        await model.stop()

    assert len(endpoints) == 4
