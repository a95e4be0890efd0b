"""What chatapp remembers: one noun a file."""

from chatapp.models.attachment import Attachment
from chatapp.models.conversation import Conversation, conversation_for, message_for
from chatapp.models.endpoint import Endpoint
from chatapp.models.message import Message, Role, Status
from chatapp.models.preset import Preset
from chatapp.models.prompt import Prompt
from chatapp.models.queued import Queued
from chatapp.models.search import SearchEntry
from chatapp.models.share import Share

__all__ = [
    "Attachment",
    "Conversation",
    "Endpoint",
    "Message",
    "Preset",
    "Prompt",
    "Queued",
    "Role",
    "SearchEntry",
    "Share",
    "Status",
    "conversation_for",
    "message_for",
]
