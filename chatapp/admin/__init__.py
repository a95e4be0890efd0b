"""The administrator's pages: Django's own admin, registered one noun a file."""

from django.contrib.admin import site
from django.utils.translation import gettext_lazy as _

from chatapp.admin import audit, conversations, endpoints, holds, limits, people

__all__ = ["audit", "conversations", "endpoints", "holds", "limits", "people"]

site.site_header = site.site_title = _("chatapp administration")
