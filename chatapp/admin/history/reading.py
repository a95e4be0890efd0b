"""One conversation → its transcript on a page, noted before it is shown; nothing can be altered."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from chatapp.admin.history.address import page_number
from chatapp.admin.history.pages import page, refused
from chatapp.admin.history.transcript import Transcript
from chatapp.errors import InvalidInput
from chatapp.models import Conversation
from chatapp.models.audit import Action
from chatapp.oversight import audit
from chatapp.text import spelled_out

# A link beside a transcript: its words and where it leads.
Tool = tuple[str, str]


class Reading(admin.ModelAdmin):  # type: ignore[type-arg]
    """The page of one conversation, which everything but looking at is forbidden on."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Conversation | None = None) -> bool:
        return False

    def tools(self, request: HttpRequest, conversation: Conversation) -> list[Tool]:
        """What can be done with a conversation beside reading it; others add to this."""
        return []

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if request.method not in ("GET", "HEAD") or not self.has_view_permission(request):
            raise PermissionDenied
        conversation = self._conversation(object_id)
        if conversation is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined,no-any-return]
        try:
            number = page_number(request.GET.get("page", ""))
            transcript = Transcript(conversation, only_shown=_only_shown(request))
            entries = transcript.entries(number)
        except InvalidInput as problem:
            return refused(self, request, str(problem))
        audit.record(request, Action.READ, conversation)
        return page(
            self,
            request,
            "transcript",
            200,
            title=spelled_out(str(conversation)),
            conversation=conversation,
            transcript=transcript,
            entries=entries,
            page=transcript.pages.page(number),
            page_range=list(transcript.pages.get_elided_page_range(number)),
            tools=self.tools(request, conversation),
            **(extra_context or {}),
        )

    def _conversation(self, object_id: str) -> Conversation | None:
        everything = Conversation.objects.select_related("owner", "endpoint")
        try:
            return everything.filter(pk=UUID(object_id)).first()
        except ValueError:
            return None


def _only_shown(request: HttpRequest) -> bool:
    show = request.GET.get("show", "all")
    if show not in ("all", "path"):
        raise InvalidInput(_("“show” is “all” or “path”."))
    return show == "path"
