"""What the person prefers → the look of a page, and times as they tell them."""

from datetime import datetime

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from chatapp.page.preferences import Preferences, current

register = template.Library()

# As they are printed on the reader's keyboard; those that are not named here are the same.
_KEY_NAMES = {"Ctrl": _("Ctrl"), "Shift": _("Shift"), "Esc": _("Esc"), "Alt": _("Alt")}


@register.simple_tag
def preferred() -> Preferences:
    return current()


@register.filter
def key_name(key: str) -> str:
    return str(_KEY_NAMES.get(key, key))


@register.simple_tag
def when(moment: datetime) -> SafeString:
    """A `<time>` in the person's zone; the year if it is another, and UTC if no zone is known."""
    local = timezone.localtime(moment)
    is_this_year = local.year == timezone.localdate().year
    text = date_format(local, gettext("j M, H:i") if is_this_year else gettext("j M Y"))
    zone = "" if current().tzinfo else " UTC"
    title = date_format(local, gettext("l j F Y, H:i T"))
    return format_html(
        '<time datetime="{}" title="{}">{}{}</time>', local.isoformat(), title, text, zone
    )
