"""A reader who does not read is waited for, and then dropped."""

import asyncio
import socket
import sys

from tests.ports import free_port

MOST_BYTES = 16 * 1024 * 1024  # of which the kernel takes the most
_HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


async def test_what_nobody_reads_is_not_kept_and_its_reader_is_dropped() -> None:
    port = free_port()
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.serving.flooding", str(port), stdout=asyncio.subprocess.PIPE
    )
    assert server.stdout is not None
    try:
        async with asyncio.timeout(30):
            assert await server.stdout.readline() == b"listening\n"
            with socket.create_connection(("127.0.0.1", port)) as silent:
                silent.sendall(_HANDSHAKE)
                words = (await server.stdout.readline()).split()
    finally:
        server.kill()
        await server.wait()

    assert words[:2] == [b"gone", b"after"]
    assert 0 < int(words[2]) < MOST_BYTES
