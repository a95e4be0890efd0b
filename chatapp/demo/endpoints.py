"""The scripted model's address → one endpoint for each wire shape."""

from typing import Any

from django.conf import settings

from chatapp.database import write
from chatapp.demo.server import DemoServer, start
from chatapp.models import Endpoint

NAMES = {
    "openai": "Scripted demo (OpenAI-compatible)",
    "anthropic": "Scripted demo (Anthropic-compatible)",
    "truss": "Scripted demo (Baseten Truss)",
    "cerebrium": "Scripted demo (Cerebrium)",
}

_LENGTH = {"max_tokens": 100_000, "limits": {"max_tokens": [1, 100_000]}}
_EFFORTS = {"reasoning_efforts": ["low", "medium", "high"]}

# As unlike as real endpoints are, so that the settings have something to say about each; the
# default bodies of truss and cerebrium have no place for images.
OPTIONS: dict[str, dict[str, Any]] = {
    "openai": {**_LENGTH, **_EFFORTS, "images": True},
    "anthropic": {
        **_LENGTH,
        "images": True,
        "reasoning_efforts": ["low", "medium", "high", "max"],
    },
    "truss": {**_LENGTH, "limits": {"temperature": [0, 1.5], "max_tokens": [1, 100_000]}},
    "cerebrium": {
        **_EFFORTS,
        "max_tokens": 100_000,
        "body": {
            "prompt": "{prompt}",
            "temperature": "{temperature}",
            "reasoning_effort": "{reasoning_effort}",
        },
    },
}


async def start_model() -> DemoServer:
    """Starts the scripted model in this process and points the demo's endpoints at it."""
    try:
        server = await start(port=settings.DEMO_MODEL_PORT)
    except OSError:
        server = await start()
    _allow(server)
    await write(store_endpoints, server)
    return server


def _allow(server: DemoServer) -> None:
    """This process may call its own model, and nothing else beside it."""
    own = f"{server.host}:{server.port}"
    settings.UPSTREAM_ALLOWED_HOSTS = [*settings.UPSTREAM_ALLOWED_HOSTS, own]


def store_endpoints(server: DemoServer) -> None:
    """One endpoint a protocol; what an administrator changed besides the address stays."""
    for position, (protocol, name) in enumerate(NAMES.items()):
        address = {"protocol": protocol, "url": server.url(protocol)}
        first = {"model": "scripted", "options": OPTIONS[protocol], "position": 200 + position}
        Endpoint.objects.update_or_create(
            name=name, defaults=address, create_defaults=address | first
        )
