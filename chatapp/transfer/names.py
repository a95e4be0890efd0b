"""A conversation → the name of a file that every system can keep."""

import re
import unicodedata

from django.utils import timezone
from django.utils.translation import gettext as _

from chatapp.models import Conversation

_MOST_BYTES = 150
_FORBIDDEN = re.compile(r'[/\\:*?"<>|]')


def file_name(conversation: Conversation, suffix: str, *, is_one_of_many: bool = False) -> str:
    """The day it began and its title; one of many has a piece of its id to be told apart by."""
    day = timezone.localdate(conversation.created_at).isoformat()
    mark = f" {conversation.pk.hex[:12]}" if is_one_of_many else ""
    return f"{day} {safe(str(conversation))}{mark}{suffix}"


def safe(title: str) -> str:
    """The title without what a file system, a terminal or a reader could take for something else:
    separators, control characters, and marks that turn the direction of writing."""
    visible = "".join(
        " " if unicodedata.category(c)[0] in "CZ" else c
        for c in unicodedata.normalize("NFC", title)
    )
    words = " ".join(_FORBIDDEN.sub(" ", visible).split())
    short = words.encode()[:_MOST_BYTES].decode(errors="ignore")
    return short.strip(" .") or _("Conversation")
