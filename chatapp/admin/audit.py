"""What administrators did, as a list to look through; and how their changes come to be in it."""

from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import ERROR_FLAG
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, ValidationError
from django.db import DataError, transaction
from django.db.models import Max, Min, Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from chatapp.admin.history.dates import spans
from chatapp.models.audit import Action, AuditEvent
from chatapp.oversight.audit import model_of, record, record_each, subject_of

_FIELDS = ("at", "who", "what", "which", "address", "details")
_LONGEST = 160
_UNREADABLE = _(
    "The address has a filter that this list does not know or cannot read: everything is shown."
)


class Audited(admin.ModelAdmin):  # type: ignore[type-arg]
    """Writes changes down as audit events, in the place of Django's log, which has no address and
    can be altered. Every ModelAdmin of ours is one.

    One that tells more than Django lets it here sets `tells_itself`.
    """

    tells_itself = False

    def response_action(  # type: ignore[override]
        self, request: HttpRequest, queryset: QuerySet[Any]
    ) -> HttpResponse | None:
        """What is done to several is done with its events, or not at all; Django sees to that for
        single ones."""
        try:
            selected = request.POST.getlist(ACTION_CHECKBOX_NAME)
            if request.POST.get("select_across") != "1" and selected:
                keys = [self.opts.pk.to_python(key) for key in selected]
                if not queryset.filter(pk__in=keys).exists():
                    raise ObjectDoesNotExist
            with transaction.atomic():
                return super().response_action(request, queryset)
        except (ObjectDoesNotExist, ValidationError, OverflowError, DataError):
            self.message_user(request, _("What was selected is none of these."), messages.ERROR)
            return redirect(request.get_full_path())

    def log_addition(  # type: ignore[override]
        self, request: HttpRequest, obj: Model, message: Any
    ) -> None:
        if not self.tells_itself:
            record(request, Action.ADD, obj)

    def log_change(  # type: ignore[override]
        self, request: HttpRequest, obj: Model, message: Any
    ) -> None:
        if not self.tells_itself:
            record(request, Action.CHANGE, obj, **_changed(message))

    def log_deletions(  # type: ignore[override]
        self, request: HttpRequest, queryset: QuerySet[Any]
    ) -> None:
        if not self.tells_itself:
            record_each(request, Action.DELETE, queryset)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        return self.history_of(request, self.model(pk=unquote(object_id)))

    def history_of(self, request: HttpRequest, subject: Model) -> HttpResponse:
        """Its audit events, for those who may look at both."""
        may_see_events = request.user.has_perm("chatapp.view_auditevent")
        if not may_see_events or not self.has_view_or_change_permission(request):
            raise PermissionDenied
        query = urlencode({"kind": subject._meta.model_name, "object_id": subject.pk})
        return redirect(f"{reverse('admin:chatapp_auditevent_changelist')}?{query}")

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """A filter that cannot be read is told, as if everything had been found by it."""
        try:
            response = super().changelist_view(request, extra_context)
        except (OverflowError, ValueError, DataError):
            response = redirect(f"{request.path}?{ERROR_FLAG}=1")
        if response.status_code == 302 and response["Location"].endswith(f"?{ERROR_FLAG}=1"):
            self.message_user(request, _UNREADABLE, messages.ERROR)
        return response


class Events(QuerySet[AuditEvent]):
    """Offers Django's hierarchy of dates all that lie between the first event and the last: to look
    at every event for the days that have one would take longer than all the rest of the page."""

    def datetimes(  # type: ignore[override]
        self, field_name: str, kind: str, *_args: Any, **_kwargs: Any
    ) -> list[date]:
        known = self.aggregate(first=Min(field_name), last=Max(field_name))
        if known["first"] is None:
            return []
        first, last = (timezone.localtime(known[name]).date() for name in ("first", "last"))
        level = ("year", "month", "day").index(kind)
        return [span.first for span in spans(first, last, level)][::-1]


class KindFilter(admin.SimpleListFilter):
    """The kinds of things that the admin has."""

    title = _("kind")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        models = model_admin.admin_site._registry
        kinds = ((m._meta.model_name, capfirst(m._meta.verbose_name)) for m in models)
        return sorted(kinds, key=lambda kind: kind[1])

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[AuditEvent]
    ) -> QuerySet[AuditEvent]:
        return queryset.filter(kind=self.value()) if self.value() else queryset


class Unalterable(Audited):
    """Only looked at, by whoever may view it, whatever the address."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(AuditEvent)
class AuditEventAdmin(Unalterable):
    """Read by those who may, and altered by nobody: the database refuses it as well."""

    list_display = ["at", "who", "what", "which", "address", "summary"]
    list_display_links = ["at"]
    list_filter = ["action", KindFilter, "at", ("actor", admin.RelatedOnlyFieldListFilter)]
    search_fields = ["actor_name", "object_name", "object_id", "address"]
    search_help_text = _("Names of people and things, ids and addresses.")
    date_hierarchy = "at"
    show_full_result_count = False
    list_per_page = 50
    actions = None
    fields = _FIELDS
    readonly_fields = _FIELDS

    def get_queryset(self, request: HttpRequest) -> QuerySet[AuditEvent]:
        return Events(AuditEvent)

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """Links only to what the reader may look at."""

        @admin.display(description=_("which"))
        def which(event: AuditEvent) -> str:
            return self._link(request, event)

        return [which if name == "which" else name for name in self.list_display]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        frame = {"title": _("Audit events"), "is_nav_sidebar_enabled": False}
        return super().changelist_view(request, {**frame, **(extra_context or {})})

    @admin.display(description=_("who"), ordering="actor_name")
    def who(self, event: AuditEvent) -> str:
        return event.actor_name

    @admin.display(description=_("what"), ordering="action")
    def what(self, event: AuditEvent) -> str:
        return event.get_action_display()

    @admin.display(description=_("which"))
    def which(self, event: AuditEvent) -> str:
        return subject_of(event)

    @admin.display(description=_("details"))
    def summary(self, event: AuditEvent) -> str:
        """The details in one short line, without the id that ties an export's two events."""
        shown = ((name, value) for name, value in event.detail.items() if name != "export")
        line = ", ".join(f"{name}: {_plain(value)}" for name, value in shown)
        return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"

    @admin.display(description=_("details"))
    def details(self, event: AuditEvent) -> str:
        rows = ((name, _plain(value)) for name, value in event.detail.items())
        return format_html_join("", "<div><b>{}</b> {}</div>", rows) or "–"

    def _link(self, request: HttpRequest, event: AuditEvent) -> str:
        name = subject_of(event)
        model = model_of(event.kind)
        shown = self.admin_site._registry.get(model) if model else None
        if not event.object_id or shown is None or not shown.has_view_permission(request):
            return name
        address = reverse(
            f"admin:{shown.opts.app_label}_{event.kind}_change", args=[event.object_id]
        )
        return format_html('<a href="{}">{}</a>', address, name)


def _changed(message: Any) -> dict[str, Any]:
    """Django's description of a change → the names of the fields in it."""
    if isinstance(message, str):
        return {"note": message} if message else {}
    said = (said for part in message for said in part.values())
    names = [str(name) for one in said for name in one.get("fields", ())]
    return {"fields": names} if names else {}


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value)
