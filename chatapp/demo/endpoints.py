"""The scripted model's address → one endpoint for each wire shape."""

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


async def start_model() -> DemoServer:
    """Starts the scripted model in this process and points the demo's endpoints at it."""
    try:
        server = await start(port=settings.DEMO_MODEL_PORT)
    except OSError:
        server = await start()
    await write(store_endpoints, server)
    return server


def store_endpoints(server: DemoServer) -> None:
    """One endpoint a protocol; what an administrator changed besides the address stays."""
    for position, (protocol, name) in enumerate(NAMES.items()):
        address = {"protocol": protocol, "url": server.url(protocol)}
        first = {
            "model": "scripted",
            "options": {"max_tokens": 100_000},
            "position": 200 + position,
        }
        Endpoint.objects.update_or_create(
            name=name, defaults=address, create_defaults=address | first
        )
