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
from chatapp.models.departure import Departure
from chatapp.models.endpoint import Endpoint, endpoint_for, endpoints_for, usable_endpoints
from chatapp.models.export import Export
from chatapp.models.figures import FigureClock, HealthFigure, UsageFigure
from chatapp.models.hold import Hold
from chatapp.models.imported import Import
from chatapp.models.limit import Limit, Usage
from chatapp.models.message import Message, Role, Status
from chatapp.models.preset import Preset
from chatapp.models.prompt import Prompt
from chatapp.models.queued import Queued
from chatapp.models.search import SearchEntry
from chatapp.models.share import Share
from chatapp.models.summary import Summary

__all__ = [
    "Attachment",
    "AuditEvent",
    "Conversation",
    "Departure",
    "Endpoint",
    "Export",
    "FigureClock",
    "HealthFigure",
    "Hold",
    "Import",
    "Limit",
    "Message",
    "Preset",
    "Prompt",
    "Queued",
    "Role",
    "SearchEntry",
    "Share",
    "Status",
    "Summary",
    "Usage",
    "UsageFigure",
    "attachment_for",
    "conversation_for",
    "endpoint_for",
    "endpoints_for",
    "message_for",
    "shared_conversation_for",
    "shared_path",
    "usable_endpoints",
]
