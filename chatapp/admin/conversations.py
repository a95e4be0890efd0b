"""Conversations in the admin: a list, a search, and a transcript that nobody can alter."""

from django.contrib import admin

from chatapp.admin.exporting import Exporting
from chatapp.admin.history.listing import Listing
from chatapp.admin.history.reading import Reading
from chatapp.models import Conversation


@admin.register(Conversation)
class ConversationAdmin(Exporting, Listing, Reading):
    """Open to whoever may view conversations, while ADMIN_READS_CONVERSATIONS is on."""
