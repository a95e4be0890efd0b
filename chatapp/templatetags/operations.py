"""Numbers and times → as the administrator's tables say them."""

from django import template
from django.utils.translation import gettext as _

from chatapp.locales import counted

register = template.Library()
register.filter(counted)


@register.filter
def age(seconds: float) -> str:
    """`42.4` → “42 s”, `187` → “3:07 min”."""
    minutes, rest = divmod(int(seconds), 60)
    if minutes:
        return _("%(minutes)d:%(seconds)02d min") % {"minutes": minutes, "seconds": rest}
    return _("%(seconds)d s") % {"seconds": rest}
