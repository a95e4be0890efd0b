"""The floor: the least that streams tokens through Channels, to compare chatapp with.

One AsyncWebsocketConsumer on Daphne and one shared httpx2 client; no database, no Markdown, no
resume, no rights. Each token goes out as a `<span>` of its own.
"""

import asyncio
import json
import sys
from html import escape
from typing import Any

import daphne.server  # first, because it chooses Twisted's reactor
import django
import httpx2
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings

from tests.bench.model import END_OF_FRAMES

_client: httpx2.AsyncClient | None = None


def shared_client() -> httpx2.AsyncClient:
    global _client
    if _client is None:
        limits = httpx2.Limits(max_connections=None)
        _client = httpx2.AsyncClient(timeout=60, limits=limits)
    return _client


class Consumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    async def receive(self, text_data: str = "", bytes_data: bytes | None = None) -> None:
        self._task = asyncio.create_task(self._stream(json.loads(text_data)["text"]))

    async def _stream(self, prompt: str) -> None:
        body: dict[str, Any] = {
            "model": "bench",
            "stream": True,
            "messages": [{"role": "user", "content": prompt}],
        }
        async with shared_client().stream("POST", sys.argv[2], json=body) as response:
            async for line in response.aiter_lines():
                if not line.startswith("data: ") or line == "data: [DONE]":
                    continue
                choices = json.loads(line[6:])["choices"]
                token = choices[0]["delta"].get("content") if choices else None
                if token:
                    await self.send(text_data=f"<span>{escape(token)}</span>")
        await self.send(text_data=END_OF_FRAMES)


if __name__ == "__main__":
    settings.configure(SECRET_KEY="floor", ALLOWED_HOSTS=["*"])
    django.setup()
    endpoints = [f"tcp:port={sys.argv[1]}:interface=127.0.0.1"]
    daphne.server.Server(Consumer.as_asgi(), endpoints=endpoints).run()
