"""A template's name and what it needs → a page of our own within Django's admin."""

from typing import Any

from django.contrib.admin import ModelAdmin
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from chatapp.admin.frame import frame


def page(
    model_admin: "ModelAdmin[Any]",
    request: HttpRequest,
    name: str,
    status: int,
    title: str,
    **context: Any,
) -> TemplateResponse:
    """One of the pages about conversations."""
    template = f"admin/chatapp/conversation/{name}.html"
    # What was said needs the room of the list of all that can be administered.
    about = {"opts": model_admin.opts, "is_nav_sidebar_enabled": False, **context}
    return TemplateResponse(request, template, frame(request, title, **about), status=status)


def refused(
    model_admin: "ModelAdmin[Any]", request: HttpRequest, sentence: str
) -> TemplateResponse:
    """The page that says what an address asks for in vain."""
    title = _("This page cannot be shown")
    return page(model_admin, request, "refused", 400, title=title, sentence=sentence)
