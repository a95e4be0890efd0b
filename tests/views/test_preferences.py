"""How pages look and times are told: kept in cookies, applied by the server."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.test import AsyncClient
from django.utils import timezone

from chatapp.database import read
from chatapp.models import Conversation
from chatapp.page.preferences import Preferences, applied, current, preferences_in

CHOICES = {"theme": "dark", "text_size": "large", "width": "wide", "letters": "off", "zone": ""}


def root_of(page: bytes) -> str:
    found = re.search(r"<html[^>]*>", page.decode())
    assert found
    return found[0]


async def page_with(path: str, client: AsyncClient | None = None, **cookies: str) -> str:
    client = client or AsyncClient(raise_request_exception=False)
    client.cookies.load(cookies)
    answer = await client.get(path)
    return answer.content.decode()


async def test_choices_are_kept_for_a_year_and_shown(transactional_db: None) -> None:
    client = AsyncClient()

    saved = await client.post("/preferences/", CHOICES)
    page = await client.get(saved.headers["location"])

    cookie = saved.cookies["theme"]
    assert (cookie.value, cookie["max-age"], cookie["samesite"]) == ("dark", 31536000, "Lax")
    assert (bool(cookie["httponly"]), bool(cookie["secure"])) == (True, False)
    assert 'data-theme="dark" data-text-size="large" data-width="wide"' in root_of(page.content)
    assert page.content.count(b" checked") == 4
    assert b"Saved" in page.content


async def test_the_cookies_are_secure_where_the_site_is(
    transactional_db: None, settings: Any
) -> None:
    settings.SESSION_COOKIE_SECURE = True

    saved = await AsyncClient().post("/preferences/", CHOICES)

    assert all(saved.cookies[name]["secure"] for name in CHOICES)


@pytest.mark.parametrize("name", ["theme", "text_size", "width", "letters", "zone"])
async def test_an_unknown_choice_is_refused_with_a_sentence(
    name: str, transactional_db: None
) -> None:
    answer = await AsyncClient().post("/preferences/", CHOICES | {name: "pink"})

    assert answer.status_code == 422
    assert "pink is not one of the available choices" in answer.content.decode()
    assert name not in answer.cookies


def test_a_cookie_that_nobody_offers_counts_for_nothing() -> None:
    hostile = {"theme": '"><script>', "width": "", "zone": "../etc/passwd", "timezone": "Mars/Base"}

    assert preferences_in(hostile) == Preferences()


@pytest.mark.parametrize(
    "path",
    ["/login/", "/preferences/", "/nowhere/", "/broken/", "/c/" + "0" * 8 + "/"],
)
@pytest.mark.urls("tests.views.broken")
async def test_every_page_has_the_chosen_look(path: str, transactional_db: None) -> None:
    page = await page_with(path, theme="dark", text_size="small")

    assert 'data-theme="dark" data-text-size="small"' in root_of(page.encode())
    assert '<meta name="color-scheme" content="dark">' in page


async def test_a_page_that_tells_of_a_bad_request_has_it_too(transactional_db: None) -> None:
    client = AsyncClient(raise_request_exception=False)
    client.cookies.load({"theme": "light"})

    answer = await client.post("/preferences/", CHOICES | {"theme": "x" * 600_000})

    assert answer.status_code == 400
    assert 'data-theme="light"' in root_of(answer.content)


async def test_times_are_utc_by_name_until_somebody_knows_the_zone(
    alice: User, browser: AsyncClient
) -> None:
    at = datetime(2025, 6, 1, 12, 30, tzinfo=UTC)
    await Conversation.objects.acreate(owner=alice, title="old", active_at=at)

    unknown = await page_with("/conversations/", browser)
    told = await page_with("/conversations/", browser, timezone="Asia/Tokyo")
    chosen = await page_with("/conversations/", browser, zone="America/New_York")

    assert '<time datetime="2025-06-01T12:30:00+00:00"' in unknown
    assert "1 Jun 2025 UTC</time>" in unknown
    assert "Sunday 1 June 2025, 21:30 JST" in told
    assert "1 Jun 2025</time>" in told
    assert "Sunday 1 June 2025, 08:30 EDT" in chosen


async def test_requests_at_once_keep_their_zones_apart(alice: User, browser: AsyncClient) -> None:
    await Conversation.objects.acreate(
        owner=alice, title="old", active_at=datetime(2025, 6, 1, 12, tzinfo=UTC)
    )
    hours = {"Asia/Tokyo": "21:00 JST", "America/New_York": "08:00 EDT", "Europe/Paris": "14:00"}
    session = browser.cookies["sessionid"].value

    async def ask(zone: str) -> str:
        return await page_with("/conversations/", AsyncClient(), timezone=zone, sessionid=session)

    zones = list(hours) * 4
    pages = await asyncio.gather(*map(ask, zones))

    for zone, page in zip(zones, pages, strict=True):
        assert hours[zone] in page
    assert timezone.get_current_timezone_name() == "UTC"
    assert current() == Preferences()


async def test_days_are_the_persons_own(alice: User, browser: AsyncClient) -> None:
    now = timezone.now()
    west, east = ("UTC", "Pacific/Noumea")  # eleven hours apart
    earlier, later = (west, east) if now.hour < 13 else (east, west)
    midnight = now.astimezone(ZoneInfo(earlier)).replace(hour=0, minute=0, second=0)
    await Conversation.objects.acreate(owner=alice, active_at=midnight - timedelta(minutes=1))

    one = await page_with("/conversations/", browser, timezone=earlier)
    other = await page_with("/conversations/", browser, timezone=later)

    assert "<h2>Yesterday</h2>" in one
    assert "<h2>Today</h2>" in other


async def test_database_threads_know_the_zone(transactional_db: None) -> None:
    with applied(Preferences(timezone="Asia/Tokyo")):
        within = await read(timezone.get_current_timezone_name)

    assert within == "Asia/Tokyo"
    assert await read(timezone.get_current_timezone_name) == "UTC"
