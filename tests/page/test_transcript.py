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
    first, second = (
        Message.objects.create(
            conversation=conversation, role=role, status=Status.COMPLETE, text=text, **more
        )
        for _ in range(2)
    )
    second.versions = (first.pk, second.pk)

    for message in (first, second):
        tools = render_to_string("_tools.html", {"message": message})
        assert tools in article(message)
        assert tools not in article(message, read_only=True)
