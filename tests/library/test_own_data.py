"""What a person decides about all that is theirs."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.test import AsyncClient
from django.utils import timezone

from chatapp.models import Conversation, Departure, Endpoint, Hold, Message
from tests.tab import Tab, sign_in

PASSWORD = "correct horse"


@pytest.fixture
def three(alice: User, bob: User) -> list[Conversation]:
    """Three of Alice's, one in the archive; another is Bob's."""
    Conversation.objects.create(owner=bob, title="Bob's")
    rows = [Conversation.objects.create(owner=alice, title=f"Tide {n}") for n in range(3)]
    Conversation.objects.filter(pk=rows[0].pk).update(archived_at=timezone.now())
    return rows


async def kept_of(user: User) -> int:
    return await Conversation.objects.filter(owner=user, deleted_at=None).acount()


async def text_of(browser: AsyncClient, path: str) -> str:
    return (await browser.get(path)).content.decode()


async def test_the_page_says_how_much_there_is_and_how_long_it_is_kept(
    browser: AsyncClient, three: list[Conversation], settings: Any
) -> None:
    settings.RETENTION_DAYS = 0
    assert "Conversations are kept until you delete them." in await text_of(browser, "/your-data/")

    settings.RETENTION_DAYS, settings.DELETED_GRACE_DAYS = 90, 7
    page = await text_of(browser, "/your-data/")

    assert "<dd>3</dd>" in page
    assert "nothing happens for 90 days is deleted" in page
    assert "removed for good after 7 days" in page
    assert "/export.zip" in page


async def test_all_conversations_are_deleted_once_that_is_sure_and_brought_back(
    browser: AsyncClient, alice: User, bob: User, three: list[Conversation]
) -> None:
    unsure = await browser.post("/your-data/delete-all/")
    assert unsure.status_code == 422 and await kept_of(alice) == 3

    done = await browser.post("/your-data/delete-all/", {"sure": "on"})
    page = await text_of(browser, done["Location"])
    assert await kept_of(alice) == 0 and await kept_of(bob) == 1
    assert "3 conversations were deleted." in page

    moment = page.split('name="deleted" value="')[1].split('"')[0]
    await browser.post("/your-data/bring-back/", {"deleted": moment})
    assert await kept_of(alice) == 3


async def test_what_went_before_or_long_ago_does_not_come_back(
    browser: AsyncClient, alice: User, three: list[Conversation]
) -> None:
    old = timezone.now() - timedelta(hours=1)
    await Conversation.objects.filter(pk=three[1].pk).aupdate(deleted_at=old)
    await browser.post("/your-data/delete-all/", {"sure": "on"})

    for moment in (old.isoformat(), "yesterday", "2026-01-01", ""):
        await browser.post("/your-data/bring-back/", {"deleted": moment})

    assert await kept_of(alice) == 0


async def test_leaving_takes_the_password(browser: AsyncClient, alice: User) -> None:
    for wrong in ("", "wrong", "alice"):
        answer = await browser.post("/your-data/leave/", {"confirmation": wrong})
        assert answer.status_code == 422

    await alice.arefresh_from_db()
    assert alice.is_active and not await Departure.objects.aexists()


async def test_who_left_is_signed_out_everywhere_and_cannot_come_back_by_themselves(
    browser: AsyncClient, alice: User, three: list[Conversation]
) -> None:
    elsewhere = AsyncClient()
    await elsewhere.aforce_login(alice)

    answer = await browser.post("/your-data/leave/", {"confirmation": PASSWORD}, follow=True)

    assert "The account is deleted" in answer.content.decode()
    assert await kept_of(alice) == 0
    for client in (browser, elsewhere):
        assert (await client.get("/"))["Location"].startswith("/login/")
    signing_in = {"username": "alice", "password": PASSWORD}
    assert (await elsewhere.post("/login/", signing_in)).status_code == 200  # the form again
    assert (await Departure.objects.aget()).person_id == alice.pk

    # An administrator takes it back: what was signed in then stays signed out.
    await User.objects.filter(pk=alice.pk).aupdate(is_active=True)
    assert (await elsewhere.get("/"))["Location"].startswith("/login/")


async def test_without_a_password_it_takes_the_name(alice: User) -> None:
    alice.set_unusable_password()
    await alice.asave()
    browser = AsyncClient()
    await browser.aforce_login(alice)
    assert "Your name, alice" in await text_of(browser, "/your-data/")

    refused = await browser.post("/your-data/leave/", {"confirmation": "bob"})
    done = await browser.post("/your-data/leave/", {"confirmation": " alice "})

    assert (refused.status_code, done.status_code) == (422, 302)


async def test_the_only_administrator_cannot_leave(browser: AsyncClient, alice: User) -> None:
    await User.objects.filter(pk=alice.pk).aupdate(is_superuser=True, is_staff=True)

    answer = await browser.post("/your-data/leave/", {"confirmation": PASSWORD})

    assert "You are the only administrator." in answer.content.decode()
    await alice.arefresh_from_db()
    assert alice.is_active


async def test_what_is_held_is_hidden_and_kept(
    browser: AsyncClient, alice: User, three: list[Conversation]
) -> None:
    await Hold.objects.acreate(person=alice, reason="a matter")

    page = await text_of(browser, "/your-data/")
    await browser.post("/your-data/leave/", {"confirmation": PASSWORD})

    assert "a matter" not in page
    assert await kept_of(alice) == 0
    assert await Conversation.objects.filter(owner=alice).acount() == 3


async def test_leaving_ends_what_runs_and_closes_what_is_open(
    browser: AsyncClient, endpoint: Endpoint, alice: User, tab_of: Callable[..., Tab]
) -> None:
    async with tab_of(alice) as tab, tab_of(alice, lists=True) as other:
        await tab.say("/tokens 5000 /pace 20")
        await tab.until(lambda page: page.status == "streaming")
        await other.until(lambda page: page.articles)

        await browser.post("/your-data/leave/", {"confirmation": PASSWORD})

        assert await tab.until_closed() in (4401, 4404)
        assert await other.until_closed() in (4401, 4404)
    assert await Message.objects.filter(status="complete", role="assistant").acount() == 0


async def test_a_page_without_a_conversation_closes_too(
    browser: AsyncClient, alice: User, three: list[Conversation]
) -> None:
    async with Tab(None, await sync_to_async(sign_in)(alice), lists=True) as tab:
        await tab.until(lambda page: page.listed)
        await browser.post("/your-data/leave/", {"confirmation": PASSWORD})

        assert await tab.until_closed() == 4401


async def test_nobody_elses_data_is_touched(bob: User, three: list[Conversation]) -> None:
    for path in ("/your-data/", "/your-data/delete-all/", "/your-data/leave/"):
        answer = await AsyncClient().post(path, {"sure": "on", "confirmation": PASSWORD})
        assert answer.status_code == 302 and answer["Location"].startswith("/login/")

    assert await Conversation.objects.filter(deleted_at=None).acount() == 4
