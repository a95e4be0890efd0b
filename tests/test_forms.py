"""What a page sends, checked."""

import uuid
from datetime import UTC, datetime

import pytest
from django.test import AsyncClient

from chatapp.forms import moment_of

# No clock of UTC ever shows them.
BEYOND = ("9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00")


def test_a_moment_is_one_with_its_zone() -> None:
    assert moment_of("2026-11-21T12:00:00+02:00") == datetime(2026, 11, 21, 10, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "soon", "2026-11-21T12:00:00", *BEYOND])
def test_anything_else_is_no_moment(text: str) -> None:
    assert moment_of(text) is None


@pytest.mark.parametrize("moment", BEYOND)
async def test_pages_take_no_moment_beyond_the_calendar(browser: AsyncClient, moment: str) -> None:
    later = await browser.get("/conversations/", {"after": f"{moment}~{uuid.uuid4()}"})
    deleted = await browser.get("/your-data/", {"deleted": moment})

    assert (later.status_code, deleted.status_code) == (400, 200)
