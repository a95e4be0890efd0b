"""What every import comes down to: a conversation and its messages, checked and not yet stored."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.utils.translation import gettext as _

from chatapp.errors import InvalidInput
from chatapp.models import Conversation, Message

# More in one conversation, nobody reads; it would only keep the database busy.
MOST_MESSAGES = 20_000
MOST_CHARS = 32_000_000

# Reads what stands at a place beside a document, in the zip that both came in.
Beside = Callable[[str], bytes]


@dataclass(frozen=True, slots=True)
class File:
    """`read` gives the bytes, however many; raises InvalidInput with what is wrong with them."""

    name: str
    read: Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class Draft:
    """`messages` come parents first. `origin` is the conversation's id where it was exported, if
    that was a chatapp; `endpoint_name` names the one it went on with; `files` are those of the
    messages by their ids."""

    conversation: Conversation
    messages: Sequence[Message]
    origin: UUID | None = None
    endpoint_name: str = ""
    files: Mapping[UUID, Sequence[File]] = field(default_factory=dict)


def check_size(messages: int, chars: int = 0) -> None:
    """Raises InvalidInput for a conversation that is larger than we take."""
    if messages > MOST_MESSAGES:
        raise InvalidInput(
            _("It has %(has)d messages; at most %(most)d can be imported.")
            % {"has": messages, "most": MOST_MESSAGES}
        )
    if chars > MOST_CHARS:
        raise InvalidInput(
            _("It has more than %(most)d characters of text.") % {"most": MOST_CHARS}
        )


def parents_first(messages: Sequence[Message]) -> list[Message]:
    """The messages by generation; those of one generation keep their order.

    Raises InvalidInput if some don't hang on a first message: their parents are missing, or go
    round in a circle.
    """
    children: defaultdict[UUID | None, list[Message]] = defaultdict(list)
    for message in messages:
        children[message.parent_id].append(message)
    found = list(children[None])
    for message in found:  # which grows
        found += children[message.pk]
    if len(found) != len(messages):
        raise InvalidInput(_("Its messages do not follow from a first one."))
    return found
