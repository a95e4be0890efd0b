"""Conversations in the admin: a list, a search, and a transcript that nobody can alter."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from chatapp.admin.history.listing import Listing
from chatapp.admin.history.pages import page
from chatapp.admin.history.reading import Reading
from chatapp.models import Conversation


@admin.register(Conversation)
class ConversationAdmin(Listing, Reading):
    """Open to whoever may view conversations, while ADMIN_READS_CONVERSATIONS is on."""

    def has_view_permission(self, request: HttpRequest, obj: Conversation | None = None) -> bool:
        return is_open() and super().has_view_permission(request, obj)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return super().changelist_view(request, extra_context) if is_open() else self._shut(request)

    def change_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return super().change_view(request, *args, **kwargs) if is_open() else self._shut(request)

    def history_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return super().history_view(request, *args, **kwargs) if is_open() else self._shut(request)

    def _shut(self, request: HttpRequest) -> TemplateResponse:
        return page(self, request, "shut", 403, title=_("Conversations are private here"))


def is_open() -> bool:
    """Whether administrators may read what people said, as the service's setting says."""
    return bool(getattr(settings, "ADMIN_READS_CONVERSATIONS", True))
