"""Legal holds in the admin: placed with a reason, released by deleting them, both written down."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from chatapp.admin.audit import Audited
from chatapp.models import Conversation, Hold
from chatapp.models.audit import Action
from chatapp.oversight.audit import record


class HoldForm(forms.ModelForm):  # type: ignore[type-arg]
    """Conversations are named by their ids, for those too who may not read them."""

    conversation = forms.ModelChoiceField(
        Conversation.objects.all(),
        required=False,
        widget=forms.TextInput(attrs={"class": "vTextField", "autocomplete": "off"}),
        label=_("Conversation"),
        help_text=Conversation.holds.field.help_text,
        error_messages={"invalid_choice": _("There is no conversation with this id.")},
    )

    class Meta:
        model = Hold
        fields = ("conversation", "person", "reason")


@admin.register(Hold)
class HoldAdmin(Audited):
    """Shows nothing of what is held: a title is the beginning of what was said."""

    tells_itself = True
    form = HoldForm
    list_display = ["__str__", "whose", "reason", "placed_by", "since"]
    list_select_related = ["conversation__owner", "person", "placed_by"]
    search_fields = ["reason", "person__username", "placed_by__username"]
    raw_id_fields = ["person"]
    fields = ["conversation_id", "whose", "reason", "placed_by", "since"]
    readonly_fields = ["conversation_id", "whose", "placed_by", "since"]

    def get_fields(self, request: HttpRequest, obj: Hold | None = None) -> Any:
        return self.fields if obj else ["conversation", "person", "reason"]

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """What was done to the thing that it holds, the placing of it among that."""
        hold = self.get_object(request, object_id)
        if hold is None:
            return super().history_view(request, object_id, extra_context)
        return self.history_of(request, held(hold))

    @admin.display(description=_("conversation"))
    def conversation_id(self, hold: Hold) -> str:
        return str(hold.conversation_id or "–")

    @admin.display(description=_("person"))
    def whose(self, hold: Hold) -> str:
        return str(hold.person or hold.conversation.owner)  # type: ignore[union-attr]

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
    record(request, action, held(hold), reason=hold.reason, since=since)


def held(hold: Hold) -> Conversation | User:
    found = hold.conversation or hold.person
    assert found is not None, "the database refuses a hold on nothing"
    return found
