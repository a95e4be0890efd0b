"""The administrator's pages: Django's own admin, registered one noun a file."""

from chatapp.admin import conversations, endpoints, holds, limits

__all__ = ["conversations", "endpoints", "holds", "limits"]
