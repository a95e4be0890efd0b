"""Endpoints in the admin: add, order, enable."""

from typing import Any

from django import forms
from django.contrib import admin

from chatapp.admin.audit import Audited
from chatapp.errors import InvalidInput
from chatapp.generation.calls import check_endpoint
from chatapp.models import Endpoint


class EndpointForm(forms.ModelForm):  # type: ignore[type-arg]
    """An endpoint as typed; what the upstream layer could not use is said beside its field."""

    class Meta:
        model = Endpoint
        fields = "__all__"  # noqa: DJ007 - every field of an endpoint is the administrator's

    def clean_options(self) -> Any:
        return self.cleaned_data["options"] or {}

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if not self.errors:
            try:
                check_endpoint(Endpoint(**self.cleaned_data))
            except InvalidInput as error:
                self.add_error(None, str(error))
        return cleaned


@admin.register(Endpoint)
class EndpointAdmin(Audited):
    form = EndpointForm
    list_display = ["name", "protocol", "url", "model", "enabled", "position"]
    list_editable = ["enabled", "position"]
    list_filter = ["protocol", "enabled"]
    search_fields = ["name", "url", "model"]
