"""Chromium as people have it → its windows' tabs, of which one is in sight.

Playwright's own Chromium takes every page for visible and never keeps one in memory. This one is
started by us and joined with no defaults: a tab that comes to the front hides the one before it,
and Back may bring a page out of memory.
"""

import asyncio
import contextlib
import re
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import BrowserContext, async_playwright

from tests.chromium import FLAGS, PATH

_START_LIMIT_S = 60.0


@asynccontextmanager
async def chromium() -> AsyncIterator[BrowserContext]:
    """A new profile with one empty tab."""
    with tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as profile:
        process = await asyncio.create_subprocess_exec(
            PATH,
            *FLAGS,
            "--remote-debugging-port=0",
            f"--user-data-dir={profile}",
            "about:blank",
            stderr=asyncio.subprocess.PIPE,
        )
        assert process.stderr is not None
        try:
            address = await asyncio.wait_for(_address_in(process.stderr), _START_LIMIT_S)
            rest = asyncio.create_task(process.stderr.read())
            async with async_playwright() as playwright:
                browser = await playwright.chromium.connect_over_cdp(address, no_defaults=True)
                yield browser.contexts[0]
                await browser.close()
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.wait()
        await rest


async def _address_in(printed: asyncio.StreamReader) -> str:
    async for line in printed:
        if found := re.search(rb"ws://\S+", line):
            return found.group().decode()
    raise RuntimeError("Chromium did not start")
