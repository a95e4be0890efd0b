"""The tree of messages and the path that is shown."""

import uuid

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection

from chatapp.models import Conversation, Message, Role, Status
from chatapp.models.conversation import TITLE_CHARS, title_from
from chatapp.models.message import chain_to, live_messages, path_of


def message(parent: Message | None = None) -> Message:
    return Message(id=uuid.uuid4(), parent=parent)


def test_the_path_is_the_newest_leaf_and_its_ancestors() -> None:
    prompt = message()
    first, second = message(prompt), message(prompt)

    assert path_of([prompt, first, second]) == [prompt, second]
    assert path_of([]) == []


def test_a_parent_is_never_the_end_even_if_the_clock_jumped() -> None:
    prompt = message()
    reply = message(prompt)

    assert path_of([reply, prompt]) == [prompt, reply]


def test_the_chain_to_an_unknown_message_is_empty() -> None:
    prompt = message()
    reply = message(prompt)

    assert chain_to([prompt, reply], reply.pk) == [prompt.pk, reply.pk]
    assert chain_to([prompt, reply], uuid.uuid4()) == []


def test_a_conversation_has_one_live_reply_per_lane(conversation: Conversation) -> None:
    def live(lane: int) -> Message:
        return Message.objects.create(
            conversation=conversation, role=Role.ASSISTANT, status=Status.QUEUED, lane=lane
        )

    live(0)
    live(1)

    with pytest.raises(IntegrityError):
        live(1)


def test_a_title_is_one_line_cut_at_a_word() -> None:
    assert title_from("  Hello\n there ") == "Hello there"
    long = title_from("word " * 60)
    assert len(long) <= TITLE_CHARS and long.endswith("word…")
    assert len(title_from("x" * 300)) == TITLE_CHARS


def test_a_conversation_belongs_to_its_owner_alone(
    alice: User, bob: User, conversation: Conversation
) -> None:
    from chatapp.models import conversation_for

    assert conversation_for(alice, conversation.pk) == conversation
    for nobody in (bob, None):
        with pytest.raises(Conversation.DoesNotExist):
            conversation_for(nobody, conversation.pk)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL plans by what is there")
def test_replies_at_work_are_found_without_reading_all_messages(transactional_db: None) -> None:
    plan = live_messages().values("pk").explain()

    assert "USING INDEX one_live_reply_per_lane" in plan
