"""Legal holds in the admin: placed with a reason, released by deleting them, both written down."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from chatapp.admin.audit import Audited
from chatapp.models import Hold
from chatapp.models.audit import Action
from chatapp.oversight.audit import record


@admin.register(Hold)
class HoldAdmin(Audited):
    tells_itself = True
    list_display = ["__str__", "conversation", "person", "reason", "placed_by", "since"]
    list_select_related = ["conversation", "person", "placed_by"]
    search_fields = ["reason", "person__username", "placed_by__username"]
    raw_id_fields = ["conversation", "person"]
    fields = ["conversation", "person", "reason", "placed_by", "since"]
    readonly_fields = ["placed_by", "since"]

    def get_fields(self, request: HttpRequest, obj: Hold | None = None) -> Any:
        return self.fields if obj else ["conversation", "person", "reason"]

    def has_change_permission(self, request: HttpRequest, obj: Hold | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Hold, form: Any, change: bool) -> None:
        obj.placed_by_id = request.user.pk
        super().save_model(request, obj, form, change)
        _note(request, Action.HOLD, obj)

    def delete_model(self, request: HttpRequest, obj: Hold) -> None:
        _note(request, Action.RELEASE, obj)
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Hold]) -> None:
        for hold in queryset:
            self.delete_model(request, hold)


def _note(request: HttpRequest, action: Action, hold: Hold) -> None:
    since = hold.since.isoformat()
    record(request, action, hold.conversation or hold.person, reason=hold.reason, since=since)
