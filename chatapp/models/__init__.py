"""What chatapp remembers: one noun a file."""

from chatapp.models.attachment import Attachment, attachment_for
from chatapp.models.audit import AuditEvent
from chatapp.models.conversation import (
    Conversation,
    conversation_for,
    message_for,
    shared_conversation_for,
    shared_path,
)
from chatapp.models.endpoint import Endpoint
from chatapp.models.figures import FigureClock, HealthFigure, UsageFigure
from chatapp.models.imported import Import
from chatapp.models.message import Message, Role, Status
from chatapp.models.preset import Preset
from chatapp.models.prompt import Prompt
from chatapp.models.queued import Queued
from chatapp.models.search import SearchEntry
from chatapp.models.share import Share

__all__ = [
    "Attachment",
    "AuditEvent",
    "Conversation",
    "Endpoint",
    "FigureClock",
    "HealthFigure",
    "Import",
    "Message",
    "Preset",
    "Prompt",
    "Queued",
    "Role",
    "SearchEntry",
    "Share",
    "Status",
    "UsageFigure",
    "attachment_for",
    "conversation_for",
    "message_for",
    "shared_conversation_for",
    "shared_path",
]
