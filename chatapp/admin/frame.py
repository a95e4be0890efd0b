"""A request and a title → what every page of our own needs to stand within Django's admin."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest


def frame(request: HttpRequest, title: Any, **more: Any) -> dict[str, Any]:
    """Synchronous: the admin's frame reads rights."""
    return {**admin.site.each_context(request), "title": title, **more}
