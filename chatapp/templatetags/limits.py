"""A person → what is left of their limits, near the composer and among their preferences."""

from typing import Any

from django import template
from django.contrib.auth.models import AnonymousUser, User

from chatapp.limits.standing import lowest_of, standings_of

register = template.Library()


@register.inclusion_tag("_left.html")
def what_is_left(user: User) -> dict[str, Any]:
    return {"low": lowest_of(user.pk)}


@register.inclusion_tag("_limits.html")
def limits_of(user: User | AnonymousUser) -> dict[str, Any]:
    return {"standings": standings_of(user.pk) if user.pk is not None else []}
