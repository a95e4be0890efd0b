"""A conversation → the links to it."""

from django import template
from django.db.models import QuerySet

from chatapp.models import Conversation, Share
from chatapp.sharing import links_of

register = template.Library()


@register.filter
def links(conversation: Conversation) -> QuerySet[Share]:
    """Those that work, newest first."""
    return links_of(conversation)
