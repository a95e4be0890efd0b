"""Endpoints in the admin: add, order, enable, give to groups; see the request, and try it out."""

import json
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from chatapp.admin.audit import Audited
from chatapp.admin.endpoint_form import EndpointForm, EndpointRow
from chatapp.admin.frame import frame
from chatapp.admin.protocols import addresses_explained, options_explained
from chatapp.admin.trials import trial_page
from chatapp.errors import InvalidInput
from chatapp.generation.calls import check_endpoint, request_for, target_to_try
from chatapp.models import Endpoint
from chatapp.models.audit import Action
from chatapp.oversight.audit import record
from chatapp.views.access import HtmxRequest

_FOLDER = "admin/chatapp/endpoint"
_LIMITS = ["connect_timeout_s", "first_byte_timeout_s", "silence_timeout_s", "total_timeout_s"]
# What the request is made of: what is wrong with anything else does not keep it from being shown.
_DESCRIBING = ("protocol", "url", "model", "api_key_env", "options")


@admin.register(Endpoint)
class EndpointAdmin(Audited):
    form = EndpointForm
    list_display = ["name", "enabled", "position", "for_whom", "wire", "host", "key"]
    list_editable = ["enabled", "position"]
    list_filter = ["protocol", "enabled", "groups"]
    search_fields = ["name", "url", "model"]

    class Media:
        css = {"all": ["admin/endpoints.css"]}

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Without the list of models at its side, which would cut off the last columns."""
        return super().changelist_view(
            request, {"is_nav_sidebar_enabled": False, **(extra_context or {})}
        )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Endpoint]:
        return super().get_queryset(request).prefetch_related("groups")

    def get_changelist_form(self, request: HttpRequest, **kwargs: Any) -> Any:
        return super().get_changelist_form(request, **{**kwargs, "form": EndpointRow})

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        key = ["api_key_env", "key_again"] if obj and obj.api_key_env else ["api_key_env"]
        return [
            (None, {"fields": ["name", "protocol"]}),
            (
                _("Address and key"),
                {"fields": ["url", "model", *key], "description": addresses_explained()},
            ),
            (_("Options"), {"fields": ["options"], "description": options_explained()}),
            (_("People"), {"fields": ["enabled", "position", "groups"]}),
            (_("Time limits"), {"fields": _LIMITS, "classes": ["collapse"]}),
        ]

    def get_urls(self) -> list[URLPattern]:
        views = {"request": self.show_request, "test": self.test}
        own = [
            path(
                f"{place}{name}/",
                self.admin_site.admin_view(view),
                name=f"chatapp_endpoint_{label}",
            )
            for name, view in views.items()
            for place, label in (("", f"new_{name}"), ("<int:endpoint_id>/", name))
        ]
        return [*own, *super().get_urls()]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        stored = context.get("original")
        context["addresses"] = {name: _address(name, stored) for name in ("request", "test")}
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description=_lazy("for"))
    def for_whom(self, endpoint: Endpoint) -> str:
        return ", ".join(group.name for group in endpoint.groups.all()) or _("everybody")

    @admin.display(description=_lazy("protocol"), ordering="protocol")
    def wire(self, endpoint: Endpoint) -> str:
        return endpoint.protocol

    @admin.display(description=_lazy("host"), ordering="url")
    def host(self, endpoint: Endpoint) -> str:
        return endpoint.url.partition("//")[2].partition("/")[0]

    @admin.display(description=_lazy("key"))
    def key(self, endpoint: Endpoint) -> str:
        if not endpoint.api_key_env:
            return _("none")
        state = _("set") if endpoint.has_key_set else _("not set")
        return f"{endpoint.api_key_env}: {state}"

    def show_request(self, request: HtmxRequest, endpoint_id: int | None = None) -> HttpResponse:
        """The request that the form describes, on its page or as a page of its own."""
        stored = self._stored(request, endpoint_id)
        if request.method != "POST":
            return HttpResponseRedirect(_form_of(stored))
        context = _described(EndpointForm(request.POST, instance=stored))
        if request.htmx:
            return render(request, f"{_FOLDER}/_request.html", context)
        context |= self._page(request, stored, _("The request that is sent"))
        return render(request, f"{_FOLDER}/request.html", context)

    def test(self, request: HttpRequest, endpoint_id: int | None = None) -> HttpResponseBase:
        """A page that tries out what the form describes, saved or not, and tells what happens."""
        stored = self._stored(request, endpoint_id)
        if request.method != "POST":
            return HttpResponseRedirect(_form_of(stored))
        form = EndpointForm(request.POST, instance=stored)
        context = self._page(request, stored, _("Test of an endpoint"))
        try:
            if not form.is_valid():
                raise InvalidInput(" ".join(form.complaints_about()))
            typed = form.typed()
            target = target_to_try(typed)
        except InvalidInput as error:
            context["refusal"] = str(error)
            return render(request, f"{_FOLDER}/test.html", context, status=422)
        record(request, Action.TEST, typed, url=typed.url)
        return trial_page(request, f"{_FOLDER}/test.html", {**context, "endpoint": typed}, target)

    def _stored(self, request: HttpRequest, endpoint_id: int | None) -> Endpoint | None:
        """The endpoint that the form is about, None for a new one, if the person may write it."""
        stored = get_object_or_404(Endpoint, pk=endpoint_id) if endpoint_id else None
        if stored is None and self.has_add_permission(request):
            return None
        if stored is not None and self.has_change_permission(request, stored):
            return stored
        raise PermissionDenied

    def _page(self, request: HttpRequest, stored: Endpoint | None, title: str) -> dict[str, Any]:
        """What a page of ours needs besides its own."""
        return frame(request, title, opts=self.opts, back=_form_of(stored), stored=stored)


def _described(form: EndpointForm) -> dict[str, Any]:
    """The request, and what is wrong with it."""
    form.is_valid()
    typed, complaints = form.typed(), form.complaints_about(*_DESCRIBING)
    shown = None
    if not complaints:
        try:
            shown = request_for(typed)
            check_endpoint(typed)
        except InvalidInput as error:
            complaints = [str(error)]
    body = json.dumps(json.loads(shown.body), indent=2, ensure_ascii=False) if shown else ""
    return {"endpoint": typed, "shown": shown, "body": body, "complaints": complaints}


def _form_of(stored: Endpoint | None) -> str:
    return _address("change", stored) if stored else reverse("admin:chatapp_endpoint_add")


def _address(name: str, stored: Endpoint | None) -> str:
    """Where `name` is done with a stored endpoint or a new one."""
    if stored is None:
        return reverse(f"admin:chatapp_endpoint_new_{name}")
    return reverse(f"admin:chatapp_endpoint_{name}", args=[stored.pk])
