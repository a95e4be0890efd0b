"""Why a reply was rated so, asked on a page of its own."""

import pytest
from django.contrib.auth.models import User
from django.test import AsyncClient

from chatapp.models import Conversation, Message, Role


async def rated(owner: User, rating: int | None) -> Message:
    conversation = await Conversation.objects.acreate(owner=owner)
    return await Message.objects.acreate(
        conversation=conversation, role=Role.ASSISTANT, text="hm", rating=rating
    )


@pytest.mark.parametrize(("rating", "action"), [(1, "like"), (-1, "dislike")])
async def test_the_page_takes_the_reason_of_either_rating(
    rating: int, action: str, alice: User, browser: AsyncClient
) -> None:
    reply = await rated(alice, rating)

    page = (await browser.get(f"/messages/{reply.pk}/reason/")).content.decode()
    answer = await browser.post(f"/messages/{reply.pk}/{action}/", {"reason": "Because."})

    assert f'action="/messages/{reply.pk}/{action}/"' in page
    assert "csrfmiddlewaretoken" in page
    assert answer.status_code == 302
    await reply.arefresh_from_db()
    assert (reply.rating, reply.rating_reason) == (rating, "Because.")


async def test_without_a_rating_there_is_nothing_to_explain(
    alice: User, browser: AsyncClient
) -> None:
    reply = await rated(alice, None)

    answer = await browser.get(f"/messages/{reply.pk}/reason/")

    assert answer.headers["location"] == f"/c/{reply.conversation_id}/"


async def test_somebody_elses_reply_is_not_found(bob: User, browser: AsyncClient) -> None:
    reply = await rated(bob, 1)

    answer = await browser.get(f"/messages/{reply.pk}/reason/")

    assert answer.status_code == 404
