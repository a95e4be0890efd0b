"""Summaries: whatever changes a conversation makes its summary due, and nobody waits for it."""

from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from chatapp.library import catalog, curation
from chatapp.models import Conversation, Message, Role, Summary
from chatapp.models.conversation import IS_DUE
from chatapp.models.summary import catch_up, due, store
from tests.admin.talks import said, talk

pytestmark = pytest.mark.usefixtures("transactional_db")


def summary(conversation_id: UUID) -> Summary:
    while catch_up(50):
        pass
    return Summary.objects.get(pk=conversation_id)


def test_a_message_more_makes_it_due(alice: User) -> None:
    conversation = talk(alice)
    assert summary(conversation.pk).messages == 2

    said(conversation, None, Role.USER, text="more")

    assert summary(conversation.pk).messages == 3


def test_a_rating_a_title_and_a_deletion_make_it_due(alice: User) -> None:
    conversation = talk(alice, "Old")
    reply = conversation.messages.get(role=Role.ASSISTANT)
    summary(conversation.pk)

    curation.rate(alice, reply.pk, -1, "Wrong")
    catalog.rename(alice, conversation.pk, "New title")
    catalog.delete(alice, [conversation.pk])

    found = summary(conversation.pk)
    assert (found.dislikes, found.reasons, found.title_words) == (1, 1, "new title")
    assert found.is_deleted


def test_nothing_is_done_when_nothing_changed(alice: User) -> None:
    summary(talk(alice).pk)

    with CaptureQueriesContext(connection) as queries:
        assert catch_up(50) == 0

    assert len(queries) == 1


def test_what_changes_meanwhile_stays_due(alice: User) -> None:
    conversation = talk(alice)
    made = due(50)
    said(conversation, None, Role.USER, text="more")

    store(made)

    assert Conversation.objects.filter(IS_DUE).count() == 1
    assert summary(conversation.pk).messages == 3


def test_a_conversation_that_goes_meanwhile_harms_nothing(alice: User) -> None:
    gone, kept = talk(alice, "Gone"), talk(alice, "Kept")
    made = due(50)
    gone.delete()

    store(made)

    assert summary(kept.pk).messages == 2
    assert Summary.objects.count() == 1


def test_those_that_are_due_are_found_by_their_index(alice: User) -> None:
    summary(talk(alice).pk)
    changed = Conversation.objects.filter(IS_DUE).order_by("-updated_at")[:50]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET enable_seqscan = off")

    plan = changed.explain()

    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("RESET enable_seqscan")
    assert "conversation_due" in plan


def test_a_clock_that_jumps_back_makes_no_negative_time(alice: User) -> None:
    conversation = talk(alice)
    reply = conversation.messages.get(role=Role.ASSISTANT)
    Message.objects.filter(pk=reply.pk).update(
        request_sent_at="2026-01-02T00:00:00Z", first_token_at="2026-01-01T00:00:00Z"
    )

    assert summary(conversation.pk).first_token_ms == 0
