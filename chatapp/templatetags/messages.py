"""A message's row → the words under it."""

from typing import Any
from uuid import UUID

from django import template
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import ngettext

from chatapp.composing.chat_settings import LABELS
from chatapp.locales import counted
from chatapp.models import Message, Status
from chatapp.models.message import FAILURE_REASONS, LENGTH_REASONS

register = template.Library()

_RETRIABLE = {Status.ERROR, Status.INCOMPLETE, Status.INTERRUPTED, Status.STOPPED}
_LENGTH, _TOOL = _lazy("Reached the length limit"), _lazy("Asked for a tool")
_FINISH_WORDS = {
    **dict.fromkeys(LENGTH_REASONS, _LENGTH),
    **dict.fromkeys(FAILURE_REASONS, _lazy("Broken off by the endpoint")),
    "content_filter": _lazy("Filtered"),
    "refusal": _lazy("Refused"),
    "tool_calls": _TOOL,
    "function_call": _TOOL,
    "tool_use": _TOOL,
    "stop": "",
    "end_turn": "",
    "stop_sequence": "",
    "eos_token": "",
}


@register.filter
def can_retry(message: Message) -> bool:
    """Whether asking again is offered: the reply ended, and not with a whole answer."""
    return message.status in _RETRIABLE


@register.filter
def version(message: Message, step: int) -> UUID | None:
    """The id of the version so many steps after (before, if negative) this one, if there is one."""
    at = message.versions.index(message.pk) + step
    return message.versions[at] if 0 <= at < len(message.versions) else None


@register.filter
def version_number(message: Message) -> int:
    """Which version of its turn the message is, from 1."""
    return message.versions.index(message.pk) + 1


@register.filter
def seconds(value: float) -> str:
    """`7.0` → “7 s”, `0.25` → “0.25 s”."""
    return f"{number_format(f'{value:.3g}')} s"


@register.filter
def waited_s(message: Message) -> int:
    """Whole seconds since the reply was asked for; one that is continued waits from now."""
    return 0 if message.seams else int((timezone.now() - message.asked_at).total_seconds())


@register.filter
def outcome_line(message: Message) -> str:
    """How the reply ended and how long it took: “Stopped · first token 0.31 s · 4.2 s in all”."""
    words = [_ending(message)]
    if message.first_token_at and message.request_sent_at:
        wait_s = (message.first_token_at - message.request_sent_at).total_seconds()
        words.append(_("first token %s s") % number_format(f"{wait_s:.2f}"))
    began_at = message.request_sent_at if message.seams else message.asked_at
    if message.first_token_at and message.finished_at and began_at:
        all_s = (message.finished_at - began_at).total_seconds()
        words.append(_("%s s in all") % number_format(f"{all_s:.1f}"))
    if message.output_tokens:
        tokens = ngettext("%s token", "%s tokens", message.output_tokens)
        words.append(tokens % counted(message.output_tokens))
    return " · ".join(word for word in words if word)


@register.filter
def used(message: Message) -> str:
    """The parameters that the reply was asked with: “temperature 0.2 · max tokens 500”."""
    known = {name: message.parameters[name] for name in LABELS if name in message.parameters}
    return " · ".join(f"{LABELS[name]} {_shown(value)}" for name, value in known.items())


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(f"“{item}”" for item in value)
    return counted(value) if isinstance(value, int | float) else str(value)


def _ending(message: Message) -> str:
    if message.status == Status.STOPPED:
        return _("Stopped")
    if message.status == Status.COMPLETE:
        return str(_FINISH_WORDS.get(message.finish_reason, message.finish_reason.capitalize()))
    return "" if message.status != Status.INCOMPLETE else _("Incomplete")
