"""What a conversation asks with: typed into a form → checked and kept; kept → shown in a form.

Everything here is synchronous.
"""

import re
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from chatapp.forms import clean_text
from chatapp.generation.calls import carried_by, limits_for
from chatapp.locales import counted
from chatapp.models import Conversation, Endpoint, conversation_for, endpoints_for
from chatapp.upstream.parameters import EFFORT, MOST_STOP_CHARS, MOST_STOPS, RANGES

LABELS = {
    "temperature": _lazy("temperature"),
    "top_p": _lazy("top-p"),
    "max_tokens": _lazy("max tokens"),
    "stop": _lazy("stop sequences"),
    "reasoning_effort": _lazy("reasoning effort"),
}

_DEFAULT = _lazy("default")


class Kept(Protocol):
    """What keeps settings: a conversation or a preset."""

    @property
    def endpoint_id(self) -> int | None: ...
    @property
    def system_prompt(self) -> str: ...
    @property
    def parameters(self) -> Any: ...


@dataclass(frozen=True, slots=True)
class Allowance:
    """What one endpoint takes, in words; `efforts` are those of reasoning, between spaces."""

    endpoint: Endpoint
    sentence: str
    efforts: str


class Text(forms.CharField):
    """Several lines, as they can be stored. Browsers would cut what is too long; this says so."""

    widget = forms.Textarea

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, **options)

    def to_python(self, value: Any) -> str:
        return clean_text((super().to_python(value) or "").replace("\r\n", "\n"))

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return {"rows": 3, "dir": "auto"}


class WholeNumber(forms.IntegerField):
    """Django would take “2.000”, which is two thousand in half of the world, for 2."""

    re_decimal = re.compile(r"(?!)")


class SettingsForm(forms.Form):
    """Empty fields mean the endpoint's default. Numbers are text: a browser that finds one wrong
    could not show it while the form is folded away, and would silently send nothing."""

    endpoint = forms.ChoiceField(label=_lazy("Endpoint"), required=False)
    system_prompt = Text(
        label=_lazy("System prompt"),
        max_length=settings.MAX_PROMPT_CHARS,
        error_messages={
            "max_length": _lazy(
                "A system prompt can have %(limit_value)d characters; this one has %(show_value)d."
            )
        },
    )
    temperature = forms.FloatField(label=_lazy("Temperature"), required=False)
    top_p = forms.FloatField(label=_lazy("Top-p"), required=False)
    max_tokens = WholeNumber(label=_lazy("Max tokens"), required=False)
    stop = Text(label=_lazy("Stop sequences, one a line"), strip=False)
    reasoning_effort = forms.ChoiceField(label=_lazy("Reasoning effort"), required=False)

    def __init__(
        self,
        user: User,
        data: Mapping[str, Any] | None = None,
        *,
        kept: Kept | None = None,
        no_endpoint: Any = None,
    ) -> None:
        """`user` is who chooses; `no_endpoint` is the choice of none, in words, where there is
        one."""
        super().__init__(
            data,
            initial=_initial(kept),
            auto_id="settings-%s",
            label_suffix="",
            use_required_attribute=False,
        )
        own = kept.endpoint_id if kept else None
        self.known = endpoints_for(user)
        self.endpoints = [e for e in self.known if e.is_usable or e.pk == own]
        self._offer("endpoint", [(e.pk, _name(e)) for e in self.endpoints], no_endpoint)
        if efforts := self._efforts():
            self._offer("reasoning_effort", [(e, e) for e in efforts], _DEFAULT)
        else:
            del self.fields["reasoning_effort"]
        for name in RANGES:
            self._expect_a_number(name)

    def allowances(self) -> list[Allowance]:
        """What each endpoint takes."""
        return [_allowance(endpoint) for endpoint in self.endpoints]

    def is_plain(self) -> bool:
        """Whether nothing is set, so that the endpoint's defaults hold."""
        fields = (field for field in self if field.name != "endpoint")
        return not any(field.value() not in (None, "") for field in fields)

    def values(self) -> dict[str, Any]:
        """The fields of what keeps them, of a form that is valid."""
        found = self.cleaned_data
        parameters = {
            name: found[name]
            for name in (*RANGES, "stop", "reasoning_effort")
            if found.get(name) not in (None, "", [])
        }
        return {
            "endpoint_id": int(found["endpoint"]) if found.get("endpoint") else None,
            "system_prompt": found["system_prompt"],
            "parameters": parameters,
        }

    def complaints(self) -> str:
        """All that is wrong, field by field, on one line."""
        return " ".join(
            f"{self.fields[name].label}: {sentence}"
            for name, sentences in self.errors.items()
            for sentence in sentences
        )

    def clean_temperature(self) -> Any:
        return self._ranged("temperature")

    def clean_top_p(self) -> Any:
        if self.cleaned_data["top_p"] == 0:
            raise forms.ValidationError(self._sentence("top_p"))
        return self._ranged("top_p")

    def clean_max_tokens(self) -> Any:
        return self._ranged("max_tokens")

    def clean_stop(self) -> list[str]:
        lines = self.cleaned_data["stop"].split("\n")
        stops = list(dict.fromkeys(line for line in lines if line.strip()))
        if len(stops) > MOST_STOPS:
            raise forms.ValidationError(
                _("There can be %(most)d stop sequences; these are %(has)d.")
                % {"most": MOST_STOPS, "has": len(stops)}
            )
        longest = max(map(len, stops), default=0)
        if longest > MOST_STOP_CHARS:
            raise forms.ValidationError(
                _("A stop sequence can have %(most)d characters; one has %(has)d.")
                % {"most": MOST_STOP_CHARS, "has": longest}
            )
        return stops

    def _offer(self, name: str, choices: list[tuple[Any, str]], none: Any) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices if none is None else [("", none), *choices]
        known = ", ".join(label for _value, label in choices) or _("none")
        sentence = _lazy("Choose one of the list, which may have changed: {known}.")
        field.error_messages["invalid_choice"] = format_lazy(sentence, known=known)

    def _efforts(self) -> list[str]:
        """Those that any endpoint knows, and the one that is set, which may have become unknown."""
        known = [effort for e in self.endpoints for effort in _efforts_of(e)]
        own = str(self["reasoning_effort"].value() or "")
        return list(dict.fromkeys([*known, *([own] if EFFORT.fullmatch(own) else [])]))

    def _expect_a_number(self, name: str) -> None:
        field = self.fields[name]
        mode = "numeric" if name == "max_tokens" else "decimal"
        attributes = {"inputmode": mode, "autocomplete": "off", "placeholder": _DEFAULT}
        field.localize = True  # “0,7” is a number where it is written so
        field.widget = forms.TextInput(attributes)
        field.widget.is_localized = True
        field.error_messages["invalid"] = self._sentence(name)

    def _ranged(self, name: str) -> Any:
        value, (lowest, highest) = self.cleaned_data[name], RANGES[name]
        if value is not None and not lowest <= value <= highest:
            raise forms.ValidationError(self._sentence(name))
        return value

    def _sentence(self, name: str) -> str:
        lowest, highest = RANGES[name]
        if name == "max_tokens":
            return _("Expected a whole number from 1 to %(highest)s, such as 500, or nothing.") % {
                "highest": counted(highest)
            }
        if name == "top_p":
            return _("Expected a number above 0 and up to 1, such as 0.9, or nothing.")
        return _("Expected a number from %(lowest)g to %(highest)g, such as 0.7, or nothing.") % {
            "lowest": lowest,
            "highest": highest,
        }


def first_settings(
    user: User, data: Mapping[str, Any] | None = None, kept: Kept | None = None
) -> SettingsForm:
    """The form of a conversation that has not begun: its endpoint is picked beside its message."""
    form = SettingsForm(user, data, kept=kept)
    del form.fields["endpoint"]
    return form


def save(user: User, conversation_id: UUID, values: Mapping[str, Any]) -> None:
    """Keeps them with the conversation, in one statement: of two tabs the last one wins.

    No endpoint leaves the conversation its own.
    """
    conversation_for(user, conversation_id)
    changes = {name: value for name, value in values.items() if value is not None}
    mine = Conversation.objects.filter(pk=conversation_id, owner=user, deleted_at=None)
    mine.update(updated_at=timezone.now(), **changes)


def _initial(kept: Kept | None) -> dict[str, Any]:
    if kept is None:
        return {}
    stop = kept.parameters.get("stop")
    return {
        **kept.parameters,
        "endpoint": kept.endpoint_id,
        "system_prompt": kept.system_prompt,
        "stop": "\n".join(map(str, stop)) if isinstance(stop, list) else "",
    }


def _name(endpoint: Endpoint) -> str:
    if not endpoint.enabled:
        return _("%s (disabled)") % endpoint.name
    return endpoint.name if endpoint.is_granted else _("%s (not open to you)") % endpoint.name


def _efforts_of(endpoint: Endpoint) -> list[str]:
    known: list[str] = endpoint.options.get("reasoning_efforts", [])
    return known if "reasoning_effort" in carried_by(endpoint) else []


def _allowance(endpoint: Endpoint) -> Allowance:
    efforts = _efforts_of(endpoint)
    words = list(_words(endpoint, carried_by(endpoint), efforts))
    sentence = (
        _("%(endpoint)s takes %(words)s. What lies outside is sent as the nearest of these.")
        if words
        else _("%(endpoint)s takes nothing but the system prompt and the messages.")
    )
    sentence %= {"endpoint": endpoint.name, "words": ", ".join(words)}
    return Allowance(endpoint, sentence, " ".join(efforts))


def _words(endpoint: Endpoint, carried: Set[str], efforts: Iterable[str]) -> Iterable[str]:
    for name, (lowest, highest) in limits_for(endpoint).items():
        if name in carried:
            yield _("%(name)s %(lowest)s to %(highest)s") % {
                "name": LABELS[name],
                "lowest": counted(lowest),
                "highest": counted(highest),
            }
    if "stop" in carried:
        yield str(LABELS["stop"])
    if efforts:
        yield f"{LABELS['reasoning_effort']} {'/'.join(efforts)}"
