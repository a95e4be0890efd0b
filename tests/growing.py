"""A conversation and a number → so many messages in it, as tests and the benchmark want them."""

from datetime import timedelta

from django.utils import timezone

from chatapp.models import Conversation, Message, Role

BEGAN = timezone.now() - timedelta(days=1)
_CODE = "\n\n```python\ndef number():\n    return {}\n```\n"


def grow(
    conversation: Conversation, number: int, parent: Message | None = None, *, words: int = 0
) -> list[Message]:
    """Prompts and replies by turns, the first after `parent`; they number on what there is.

    With `words`, replies have about so many, and every fifth one code as well.
    """
    made: list[Message] = []
    begin = conversation.messages.count()
    for i in range(begin, begin + number):
        is_reply = (i - begin) % 2 == 1
        text = f"number {i}" + ", a line of **words** that says little" * (words * is_reply // 7)
        parent = Message(
            conversation=conversation,
            parent=parent,
            role=Role.ASSISTANT if is_reply else Role.USER,
            text=text + _CODE.format(i) * (bool(words) and i % 10 == 1),
            chosen_at=BEGAN + timedelta(seconds=i),
        )
        made.append(parent)
    Message.objects.bulk_create(made, batch_size=500)
    for i, message in enumerate(made, begin):
        message.asked_at = BEGAN + timedelta(seconds=i)
    Message.objects.bulk_update(made, ["asked_at"], batch_size=100)
    return made
