"""Articles are the same, whichever way they came about."""

import pytest
from django.template.loader import render_to_string

from chatapp.models import Conversation, Message, Role, Status
from chatapp.page.transcript import article


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("text", ["", "words"])
@pytest.mark.parametrize(
    "more", [{}, {"finish_reason": "length"}, {"rating": 1}, {"rating": -1, "rating_reason": "no"}]
)
def test_tools_are_those_of_the_message(
    conversation: Conversation, role: Role, text: str, more: dict[str, object]
) -> None:
    prompt = Message.objects.create(conversation=conversation, role=Role.USER)
    first, second, begins = (
        Message.objects.create(
            conversation=conversation,
            role=role,
            parent=parent,
            status=Status.COMPLETE,
            text=text,
            **more,
        )
        for parent in (prompt, prompt, None)
    )
    second.versions = (first.pk, second.pk)

    for message in (first, second, begins):
        tools = render_to_string("_tools.html", {"message": message})
        assert tools in article(message)
        assert tools not in article(message, read_only=True)


def test_a_reply_that_answers_nothing_is_not_offered_to_be_made_again(
    conversation: Conversation,
) -> None:
    said = {"conversation": conversation, "status": Status.COMPLETE, "text": "words"}
    begins = Message.objects.create(role=Role.ASSISTANT, **said)
    answers = Message.objects.create(role=Role.ASSISTANT, parent=begins, **said)

    assert "Regenerate" in article(answers)
    assert "Regenerate" not in article(begins)
    assert "Ask another endpoint" not in article(begins)
