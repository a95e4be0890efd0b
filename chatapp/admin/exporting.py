"""Conversations that an administrator selected or filtered → one file, and how far it is."""

from collections.abc import Sequence
from functools import partial
from typing import Any, TypeAlias
from uuid import UUID, uuid4

from django import forms
from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    JsonResponse,
    StreamingHttpResponse,
)
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from chatapp.admin.frame import frame
from chatapp.admin.history import address
from chatapp.admin.oversight import Overseen
from chatapp.errors import InvalidInput
from chatapp.models import Conversation, Export
from chatapp.models.audit import Action
from chatapp.models.summary import catch_up_wholly
from chatapp.oversight.audit import record, record_each
from chatapp.transfer.collection import FORMATS, sent

MOST_SELECTED = 1000
# Titles of filters, and what is chosen of each.
Filters: TypeAlias = Sequence[tuple[str, str]]
_KINDS = [
    ("jsonl", _("JSON Lines: all there is to know, one conversation a line")),
    ("csv", _("CSV: a table for spreadsheets, one message a row")),
    ("md", _("Markdown: for reading, what people see of their conversations")),
]


class ExportForm(forms.Form):
    """Which conversations, unless the address filters them, and as what kind of file."""

    kind = forms.ChoiceField(
        label=_("Format"), choices=_KINDS, initial="jsonl", widget=forms.RadioSelect
    )
    key = forms.UUIDField(widget=forms.HiddenInput)
    ids = forms.CharField(widget=forms.HiddenInput, required=False)

    def clean_ids(self) -> list[UUID]:
        values = self.cleaned_data["ids"].split(",") if self.cleaned_data["ids"] else []
        try:
            ids = [UUID(value) for value in values]
        except ValueError:
            raise forms.ValidationError(_("Select the conversations anew.")) from None
        if len(ids) > MOST_SELECTED:
            raise forms.ValidationError(_("Filter the list instead of selecting so many."))
        return ids


class Exporting(Overseen):
    """Export is a right of its own, and each one is written down before its first byte."""

    actions = [*Overseen.actions, "export_selected"]

    def get_urls(self) -> list[URLPattern]:
        inside = self.admin_site.admin_view
        return [
            path("export/", inside(self.export_view), name="chatapp_conversation_export"),
            path(
                "export/<uuid:export_id>/progress/",
                inside(require_safe(self.progress_view)),
                name="chatapp_conversation_export_progress",
            ),
            *super().get_urls(),
        ]

    def has_export_permission(self, request: HttpRequest) -> bool:
        may_export = request.user.has_perm("chatapp.export_conversation")
        return may_export and self.has_view_permission(request)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        context = {"may_export": self.has_export_permission(request)}
        return super().changelist_view(request, {**context, **(extra_context or {})})

    @admin.action(permissions=["export"], description=_("Export selected %(verbose_name_plural)s"))
    def export_selected(
        self, request: HttpRequest, queryset: QuerySet[Conversation]
    ) -> HttpResponse:
        if request.POST.get("select_across") == "1":
            return redirect(_address_of(request))
        ids = list(queryset.values_list("pk", flat=True)[: MOST_SELECTED + 1])
        return self._page(request, _blank(ids), len(ids))

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """A page that asks for the format; its form gets the file."""
        if not self.has_export_permission(request):
            raise PermissionDenied
        form = ExportForm(request.POST) if request.method == "POST" else _blank(_named(request))
        is_asked = form.is_valid()
        selected = form.cleaned_data.get("ids") if form.is_bound else _named(request)
        filters: Filters = []
        try:
            address.check(request.GET, self.list_filter, "only")
            if selected:
                found = self.get_queryset(request).filter(pk__in=selected)
            else:
                found, filters = self._filtered(request)
        except (IncorrectLookupParameters, InvalidInput):
            # The list says what is wrong with its address.
            return redirect(_address_of(request, "admin:chatapp_conversation_changelist"))
        if is_asked:
            return self._file(request, form.cleaned_data, list(found.values_list("pk", flat=True)))
        return self._page(request, form, found.count(), filters)

    def tools(self, request: HttpRequest, conversation: Conversation) -> list[tuple[str, str]]:
        """What can be done with one: words, and where they lead."""
        tools = super().tools(request, conversation)
        if self.has_export_permission(request):
            address = f"{reverse('admin:chatapp_conversation_export')}?only={conversation.pk}"
            tools.append((gettext("Export"), address))
        return tools

    def progress_view(self, request: HttpRequest, export_id: UUID) -> JsonResponse:
        """How far an export of the reader's is; `next` is the key for another one."""
        if not self.has_export_permission(request):
            raise PermissionDenied
        export = Export.objects.filter(pk=export_id, actor=_actor(request)).first() or Export()
        return JsonResponse(
            {
                "total": export.total,
                "conversations": export.conversations,
                "messages": export.messages,
                "over": export.finished_at is not None,
                "complete": export.is_complete,
                "next": str(uuid4()),
            }
        )

    def _filtered(self, request: HttpRequest) -> tuple[QuerySet[Conversation], Filters]:
        """All that the address lets through, and what it filters by."""
        catch_up_wholly()
        changelist = self.get_changelist_instance(request)
        return changelist.queryset, list(address.said(changelist))

    def _page(
        self, request: HttpRequest, form: ExportForm, count: int, filters: Filters = ()
    ) -> HttpResponse:
        context = frame(
            request,
            _("Export conversations"),
            opts=self.opts,
            form=form,
            count=count,
            address=_address_of(request),
            filters=filters,
        )
        status = 422 if form.errors else 200
        return TemplateResponse(request, "admin/export.html", context, status=status)

    def _file(
        self, request: HttpRequest, wish: dict[str, Any], ids: Sequence[UUID]
    ) -> StreamingHttpResponse:
        key = uuid4() if Export.objects.filter(pk=wish["key"]).exists() else wish["key"]
        with transaction.atomic():
            export = Export.objects.create(
                pk=key, actor=_actor(request), kind=wish["kind"], total=len(ids)
            )
            _note_beginning(request, export, is_selection=bool(wish["ids"]))
        pieces = sent(
            export, ids, partial(_note_some, request, export), partial(_note_end, request)
        )
        response = StreamingHttpResponse(pieces, content_type=FORMATS[wish["kind"]].media_type)
        name = f"{timezone.localdate().isoformat()} chatapp conversations.{wish['kind']}"
        response.headers["Content-Disposition"] = content_disposition_header(True, name) or ""
        response.headers["Cache-Control"] = "no-store"
        return response


def _actor(request: HttpRequest) -> User:
    assert isinstance(request.user, User), "the admin's site lets nobody else in"
    return request.user


def _address_of(request: HttpRequest, page: str = "admin:chatapp_conversation_export") -> str:
    """The page for what the reader's address lets through."""
    query = request.GET.urlencode()
    return reverse(page) + (f"?{query}" if query else "")


def _named(request: HttpRequest) -> list[UUID]:
    """The one conversation that a link names, if it does."""
    try:
        return [UUID(request.GET["only"])] if "only" in request.GET else []
    except ValueError:
        raise Http404 from None


def _blank(ids: Sequence[UUID] = ()) -> ExportForm:
    return ExportForm(initial={"key": uuid4(), "ids": ",".join(map(str, ids))})


def _note_beginning(request: HttpRequest, export: Export, *, is_selection: bool) -> None:
    detail: dict[str, Any] = {"format": export.kind, "conversations": export.total}
    if not is_selection:
        detail["filter"] = request.GET.urlencode()
    record(request, Action.EXPORT, Conversation, export=str(export.pk), **detail)


def _note_some(request: HttpRequest, export: Export, ids: Sequence[UUID]) -> None:
    """Each by itself, so that its history tells who has it."""
    them = Conversation.objects.filter(pk__in=ids).select_related("owner").only("owner__username")
    record_each(request, Action.EXPORT, them, export=str(export.pk), format=export.kind)


def _note_end(request: HttpRequest, export: Export) -> None:
    record(
        request,
        Action.EXPORT,
        Conversation,
        export=str(export.pk),
        ended="complete" if export.is_complete else "interrupted",
        conversations=export.conversations,
        messages=export.messages,
    )
