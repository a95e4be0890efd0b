"""What chatapp remembers: one noun a file."""

from chatapp.models.conversation import Conversation, conversation_for, message_for
from chatapp.models.endpoint import Endpoint
from chatapp.models.message import Message, Role, Status
from chatapp.models.search import SearchEntry

__all__ = [
    "Conversation",
    "Endpoint",
    "Message",
    "Role",
    "SearchEntry",
    "Status",
    "conversation_for",
    "message_for",
]
