"""The page on which anybody, signed in or not, says how pages should look and times be told."""

from itertools import groupby
from typing import Any

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from chatapp.database import read
from chatapp.page.preferences import Letters, TextSize, Theme, Width, current, zones

YEAR_S = 365 * 24 * 3600


class Languages(forms.Select):
    """Each is named in its own words, and read out so."""

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option = super().create_option(name, value, *args, **kwargs)
        if value:
            option["attrs"]["lang"] = value
        return option


class PreferencesForm(forms.Form):
    """One field for each cookie."""

    language = forms.ChoiceField(
        label=gettext_lazy("Language"),
        choices=[("", gettext_lazy("System")), *settings.LANGUAGES],
        required=False,
        widget=Languages,
    )
    theme = forms.ChoiceField(
        label=gettext_lazy("Colours"), choices=Theme, widget=forms.RadioSelect
    )
    text_size = forms.ChoiceField(
        label=gettext_lazy("Text size"),
        choices=TextSize,
        widget=forms.RadioSelect,
        help_text=gettext_lazy("The browser's own zoom works as well."),
    )
    width = forms.ChoiceField(
        label=gettext_lazy("Width of the text"), choices=Width, widget=forms.RadioSelect
    )
    letters = forms.ChoiceField(
        label=gettext_lazy("Shortcuts of a single letter"),
        choices=Letters,
        widget=forms.RadioSelect,
        help_text=gettext_lazy("Shortcuts with Ctrl, Alt or Esc always work."),
    )
    zone = forms.ChoiceField(label=gettext_lazy("Time zone"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})
        field = self.fields["zone"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", _as_the_browser_says()), *_zone_choices()]


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
async def preferences(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return await read(_page, request, PreferencesForm(initial=_chosen()))
    form = PreferencesForm(request.POST)
    if not form.is_valid():
        return await read(_page, request, form, status=422)
    response = redirect(f"{reverse('preferences')}?saved")
    for name, value in form.cleaned_data.items():
        response.set_cookie(
            name,
            value,
            max_age=YEAR_S,
            samesite="Lax",
            httponly=True,
            secure=settings.SESSION_COOKIE_SECURE,
        )
    return response


def _page(request: HttpRequest, form: PreferencesForm, status: int = 200) -> HttpResponse:
    context = {"form": form, "is_saved": "saved" in request.GET}
    return render(request, "preferences.html", context, status=status)


def _chosen() -> dict[str, str]:
    return {name: getattr(current(), name) for name in PreferencesForm.base_fields}


def _as_the_browser_says() -> str:
    if told := current().timezone:
        return _("As the browser says (%(zone)s)") % {"zone": told.replace("_", " ")}
    return _("As the browser says")


def _zone_choices() -> list[Any]:
    """UTC, then the places by continent."""
    places = sorted(name for name in zones() if name.partition("/")[0] in _CONTINENTS)
    by_continent = groupby(places, key=lambda name: name.partition("/")[0])
    groups = [(c, [(n, n.replace("_", " ")) for n in names]) for c, names in by_continent]
    return [("UTC", "UTC"), *groups]


_CONTINENTS = {
    *("Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic"),
    *("Australia", "Europe", "Indian", "Pacific"),
}
