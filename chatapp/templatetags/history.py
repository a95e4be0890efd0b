"""What was said and measured → what an administrator reads of it: as text, with nothing hidden."""

import unicodedata
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from chatapp.models import Status
from chatapp.text import UNSEEN, number_of

register = template.Library()

STATUS_WORDS = {
    Status.QUEUED: _("waiting"),
    Status.STREAMING: _("being written"),
    Status.COMPLETE: _("complete"),
    Status.STOPPED: _("stopped"),
    Status.INCOMPLETE: _("incomplete"),
    Status.ERROR: _("error"),
    Status.INTERRUPTED: _("interrupted"),
}


@register.filter
def visible(text: str) -> SafeString:
    """The text, escaped, each character that is not seen as its number: “U+202E”."""
    pieces = _pieces(text.replace("\r\n", "\n"))
    return format_html_join("", "{}", ((piece,) for piece in pieces))


@register.simple_tag
def moment(at: datetime, form: str = "") -> SafeString:
    """A `<time>` in the reader's zone, to the second unless told otherwise."""
    local = timezone.localtime(at)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        local.isoformat(),
        date_format(local, "l j F Y, H:i:s T"),
        date_format(local, form or gettext("j M Y, H:i:s")),
    )


@register.filter
def status_words(status: str) -> str:
    """A message's status as people say it."""
    return str(STATUS_WORDS[Status(status)])


@register.filter
def bars(arrivals: dict[str, Any]) -> str:
    """The path of a small chart of `Arrivals.record()`, 2 units a bucket and 20 high; empty if
    there is nothing to see."""
    counts = arrivals.get("counts") if isinstance(arrivals, dict) else None
    if not isinstance(counts, list) or len(counts) < 2 or not max(counts):
        return ""
    heights = (round(20 * count / max(counts), 1) for count in counts)
    return "".join(f"M{2 * i + 1} 20v-{height}" for i, height in enumerate(heights) if height)


@register.filter
def lasting_s(arrivals: dict[str, Any]) -> float:
    """The seconds that the chart of them is wide."""
    return float(arrivals["bucket_ms"]) * len(arrivals["counts"]) / 1000


def _pieces(text: str) -> Iterator[SafeString]:
    at = 0
    for found in UNSEEN.finditer(text):
        yield conditional_escape(text[at : found.start()])
        yield _mark(found.group())
        at = found.end()
    yield conditional_escape(text[at:])


def _mark(char: str) -> SafeString:
    name = unicodedata.name(char, "")
    return format_html('<span class="unseen" title="{}">{}</span>', name, number_of(char))
