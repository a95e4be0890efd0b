"""The administrator's pages: Django's own admin, registered one noun a file."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from chatapp.admin import audit, conversations, endpoints, holds, limits, people

__all__ = ["audit", "conversations", "endpoints", "holds", "limits", "people"]

admin.site.site_header = _("chatapp administration")
admin.site.site_title = "chatapp"
