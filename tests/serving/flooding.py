"""`python -m tests.serving.flooding PORT`: our server with an application that never stops sending.

It says how much it could send before its reader, who may read nothing, was gone.
"""

import asyncio
import os
import sys
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from chatapp.serving import server  # noqa: E402 - it needs the settings

FRAME_BYTES = 64 * 1024


async def flood(scope: dict[str, Any], receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    sending = asyncio.create_task(_send(send))
    while (await receive())["type"] != "websocket.disconnect":
        pass
    sending.cancel()
    print(f"gone after {_sent} bytes", flush=True)


_sent = 0


async def _send(send: Any) -> None:
    global _sent
    while True:
        await send({"type": "websocket.send", "text": "x" * FRAME_BYTES})
        _sent += FRAME_BYTES
        await asyncio.sleep(0)


async def _say_so() -> None:
    print("listening", flush=True)


if __name__ == "__main__":
    server.UNREAD_LIMIT_S = 1.0
    server.ChatServer(
        flood,
        host="127.0.0.1",
        port=int(sys.argv[1]),
        drain_s=0.0,
        has_access_log=False,
        on_start=_say_so,
    ).run()
