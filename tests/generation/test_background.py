"""What a process does for itself goes on, whatever happens."""

import asyncio

import pytest

from chatapp.generation import background


async def test_what_breaks_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "PAUSE_S", 0.0)
    rounds = 0

    async def work() -> None:
        nonlocal rounds
        rounds += 1
        if rounds < 3:
            raise ValueError

    await asyncio.wait_for(background.unfailing(work), 30)

    assert rounds == 3
