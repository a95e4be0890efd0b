"""Sockets have places: so many for each person, so many in a process."""

import asyncio
import uuid
from collections.abc import Callable

from django.contrib.auth.models import User

from chatapp import places
from chatapp.models import Endpoint
from chatapp.sockets import NO_PLACE
from tests.limits.conftest import LimitTo
from tests.tab import Tab

TabOf = Callable[..., Tab]


async def until_there_are(count: int) -> None:
    async with asyncio.timeout(30):
        while places.taken() != count:
            await asyncio.sleep(0.01)


async def closed(tab: Tab) -> int:
    """The code that the server closes it with; the browser answers, as it has to."""
    code = await tab.until_closed()
    await tab.socket.disconnect()
    return code


def is_shown(page: object) -> bool:
    return bool(getattr(page, "buttons", []))


async def test_a_page_too_many_is_told_so_and_closed_for_good(
    alice: User, bob: User, endpoint: Endpoint, tab_of: TabOf, limit_to: LimitTo
) -> None:
    limit_to(SOCKETS_A_PERSON=2)
    async with tab_of(alice, lists=True) as one, tab_of(alice, lists=True) as two:
        for tab in (one, two):
            await tab.until(is_shown)
        async with tab_of(alice, lists=True) as three:
            assert await closed(three) == NO_PLACE
        await one.say("/echo still here")
        await one.until(lambda page: page.status == "complete")

    assert "You have 2 pages open here" in three.page.notice


async def test_a_page_that_leaves_makes_room(
    alice: User, endpoint: Endpoint, tab_of: TabOf, limit_to: LimitTo
) -> None:
    limit_to(SOCKETS_A_PERSON=1)
    for _ in range(3):
        async with tab_of(alice, lists=True) as tab:
            await tab.until(is_shown)
        await until_there_are(0)


async def test_a_page_that_comes_back_takes_its_own_place_over(
    alice: User, endpoint: Endpoint, tab_of: TabOf, limit_to: LimitTo
) -> None:
    """The connection before may be broken without anybody having noticed."""
    limit_to(SOCKETS_A_PERSON=1)
    after = str(uuid.uuid4())
    async with tab_of(alice, after=after) as before:
        await before.until(is_shown)
        async with tab_of(alice, after=after) as again:
            await again.until(is_shown)
            assert await closed(before) == NO_PLACE
            async with tab_of(alice, lists=True) as other:
                assert await closed(other) == NO_PLACE
            await again.say("/echo hi")
            await again.until(lambda page: page.status == "complete")

    await until_there_are(0)


async def test_another_persons_pages_do_not_count(
    alice: User, bob: User, endpoint: Endpoint, tab_of: TabOf, limit_to: LimitTo
) -> None:
    limit_to(SOCKETS_A_PERSON=1)
    async with tab_of(alice) as mine, Tab(None, "", lists=True), tab_of(bob) as theirs:
        await mine.until(is_shown)

        assert await closed(theirs) == 4404


async def test_a_process_that_is_full_says_so(
    alice: User, endpoint: Endpoint, tab_of: TabOf, limit_to: LimitTo
) -> None:
    limit_to(SOCKETS_A_PROCESS=1)
    async with tab_of(alice) as one:
        await one.until(is_shown)
        async with tab_of(alice, lists=True) as two:
            assert await closed(two) == NO_PLACE

    assert "As many pages are open here" in two.page.notice
    await until_there_are(0)
    async with tab_of(alice) as later:
        await later.until(is_shown)


def test_a_page_that_asks_several_things_at_once_does_not_drive_itself_out(
    limit_to: LimitTo,
) -> None:
    limit_to(SOCKETS_A_PERSON=1)
    driven_out: list[str] = []
    page = places.Place("page", lambda: driven_out.append("page"), lambda: None)
    again = places.Place("page", lambda: driven_out.append("again"), lambda: None)
    assert page.take() and again.take()

    assert all(page.is_for(1) for _ in range(3))
    assert again.is_for(1) and page.is_for(1)
    page.leave()
    again.leave()

    assert page.is_for(1), "what came in before it left is still done"
    assert driven_out == ["page"]
    assert places.taken() == 0
