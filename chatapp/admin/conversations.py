"""Conversations in the admin: a list, a search, and a transcript that nobody can alter."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from chatapp.admin.exporting import Exporting
from chatapp.models import Conversation, Message

_HEAD = "{} · {} · {}{}"
_FIELDS = (
    "owner",
    "title",
    "endpoint",
    "system_prompt",
    "parameters",
    "created_at",
    "updated_at",
    "transcript",
)


@admin.register(Conversation)
class ConversationAdmin(Exporting):
    list_display = ["__str__", "owner", "endpoint", "created_at", "updated_at"]
    list_filter = ["endpoint", "created_at"]
    list_select_related = ["owner", "endpoint"]
    search_fields = ["title", "owner__username", "messages__text"]
    show_full_result_count = False
    fields = _FIELDS
    readonly_fields = _FIELDS

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Conversation | None = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Conversation]:
        return super().get_queryset(request).order_by("-updated_at")

    @admin.display(description=_lazy("Transcript"))
    def transcript(self, conversation: Conversation) -> SafeString:
        """Every message, siblings too, as text: nothing anybody wrote is rendered."""
        messages = conversation.messages.order_by("asked_at", "id")
        rows = ((_head(m), _body(m)) for m in messages.prefetch_related("attachments"))
        return format_html_join("", "<h3>{}</h3><pre>{}</pre>", rows)


def _head(message: Message) -> SafeString:
    failure = f" · {message.error_kind}: {message.error_message}" if message.error_kind else ""
    when = message.asked_at.strftime("%Y-%m-%d %H:%M:%S %Z")
    return format_html(_HEAD, message.role, when, message.status, failure)


def _body(message: Message) -> str:
    files = ", ".join(
        f"{file.name} ({filesizeformat(file.size)})" for file in message.attachments.all()
    )
    parts = (
        (_("Files"), files),
        (_("Reasoning"), message.reasoning),
        (_("Refused"), message.refusal),
        ("", message.text),
    )
    return "\n\n".join(f"[{name}]\n{text}" if name else text for name, text in parts if text)
