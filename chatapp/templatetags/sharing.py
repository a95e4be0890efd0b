"""A conversation → the links to it."""

from django import template
from django.db.models import QuerySet

from chatapp.library.sharing import links_of
from chatapp.models import Conversation, Share

register = template.Library()


@register.filter
def links(conversation: Conversation) -> QuerySet[Share]:
    """Those that work, newest first."""
    return links_of(conversation)
