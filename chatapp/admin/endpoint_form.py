"""What an administrator types of an endpoint → an endpoint that can be called, or what is wrong."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from chatapp.errors import InvalidInput
from chatapp.generation.calls import check_endpoint
from chatapp.models import Endpoint


class OptionsField(forms.JSONField):
    """What is nested too deep to be read is no JSON either."""

    def to_python(self, value: Any) -> Any:
        try:
            return super().to_python(value)
        except RecursionError:
            words = {"value": _("(nested too deep)")}
            raise forms.ValidationError(
                self.error_messages["invalid"], code="invalid", params=words
            ) from None


class EndpointForm(forms.ModelForm):  # type: ignore[type-arg]
    """An endpoint as typed; what the upstream layer could not use is said beside its field."""

    key_again = forms.CharField(
        label=_lazy("Key variable, once more"),
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=_lazy(
            "Only if the URL or the protocol changes: the key then goes elsewhere, so type the "
            "name of its variable again."
        ),
    )

    class Meta:
        model = Endpoint
        fields = "__all__"  # noqa: DJ007 - every field of an endpoint is the administrator's
        widgets = {
            "groups": forms.CheckboxSelectMultiple,
            "url": forms.TextInput(attrs={"inputmode": "url", "spellcheck": "false"}),
            "api_key_env": forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        }
        field_classes = {"options": OptionsField}

    def clean_options(self) -> Any:
        return self.cleaned_data["options"] or {}

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        typed = self.typed()
        if self.instance.pk and typed.takes_key_elsewhere(self.instance):
            self._check_key_again(typed)
        if not self.errors:
            try:
                check_endpoint(typed)
            except InvalidInput as error:
                self.add_error(None, str(error))
        return cleaned

    def typed(self) -> Endpoint:
        """The endpoint as far as it could be understood; it is not the stored one."""
        names = {field.name for field in Endpoint._meta.concrete_fields}
        values = {name: value for name, value in self.cleaned_data.items() if name in names}
        return Endpoint(pk=self.instance.pk, **values)

    def complaints_about(self, *names: str) -> list[str]:
        """What is wrong with these fields, or with any: sentences with their fields' labels."""
        return [
            f"{self.fields[name].label}: {sentence}" if name in self.fields else str(sentence)
            for name in self.errors
            if not names or name in names
            for sentence in self.errors[name]
        ]

    def _check_key_again(self, typed: Endpoint) -> None:
        if self.cleaned_data.get("key_again") != typed.api_key_env:
            self.add_error(
                "key_again",
                _(
                    "The URL or the protocol has changed, so the key in %s would go elsewhere. "
                    "Type the name of the key's variable here again, or take it out above."
                )
                % typed.api_key_env,
            )


class EndpointRow(forms.ModelForm):  # type: ignore[type-arg]
    """What can be changed in the list, where no label stands beside a field."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs["aria-label"] = f"{self.instance.name}: {field.label}"
