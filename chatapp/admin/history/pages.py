"""A template's name and what it needs → a page of our own within Django's admin."""

from typing import Any

from django.contrib.admin import ModelAdmin
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _


def page(
    model_admin: "ModelAdmin[Any]", request: HttpRequest, name: str, status: int, **context: Any
) -> TemplateResponse:
    """One of the pages about conversations."""
    everywhere = {**model_admin.admin_site.each_context(request), "opts": model_admin.opts}
    template = f"admin/chatapp/conversation/{name}.html"
    # What was said needs the room of the list of all that can be administered.
    context = {**everywhere, "is_nav_sidebar_enabled": False, **context}
    return TemplateResponse(request, template, context, status=status)


def refused(
    model_admin: "ModelAdmin[Any]", request: HttpRequest, sentence: str
) -> TemplateResponse:
    """The page that says what an address asks for in vain."""
    title = _("This page cannot be shown")
    return page(model_admin, request, "refused", 400, title=title, sentence=sentence)
