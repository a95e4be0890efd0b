"""The administrator's pages: Django's own admin, registered one noun a file."""

from chatapp.admin import audit, conversations, endpoints, holds, limits, people

__all__ = ["audit", "conversations", "endpoints", "holds", "limits", "people"]
