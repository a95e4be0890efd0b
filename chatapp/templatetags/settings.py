"""A form's fields → their HTML, where a template alone cannot say it."""

from django import template
from django.forms import BoundField
from django.utils.safestring import SafeString

from chatapp.composing.chat_settings import Allowance

register = template.Library()


@register.filter
def owned_by(field: BoundField, form_id: str) -> SafeString:
    """The field, belonging to a form that stands elsewhere on the page."""
    return field.as_widget(attrs={"form": form_id})


@register.filter
def is_of(allowance: Allowance, endpoint_id: object) -> bool:
    return str(allowance.endpoint.pk) == str(endpoint_id)
