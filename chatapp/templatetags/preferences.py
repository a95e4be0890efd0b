"""What the person prefers → the look of a page, and times as they tell them."""

from datetime import datetime

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

from chatapp.preferences import Preferences, current

register = template.Library()


@register.simple_tag
def preferred() -> Preferences:
    return current()


@register.simple_tag
def when(moment: datetime) -> SafeString:
    """A `<time>` in the person's zone; the year if it is another, and UTC if no zone is known."""
    local = timezone.localtime(moment)
    text = date_format(local, "j M, H:i" if local.year == timezone.localdate().year else "j M Y")
    zone = "" if current().tzinfo else " UTC"
    title = date_format(local, "l j F Y, H:i T")
    return format_html(
        '<time datetime="{}" title="{}">{}{}</time>', local.isoformat(), title, text, zone
    )
