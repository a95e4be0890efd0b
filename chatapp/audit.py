"""An administrator's deed → an audit event, in the same transaction as the deed."""

from typing import Any

from django.db.models import Model
from django.http import HttpRequest

from chatapp.models.audit import Action, AuditEvent


def record(
    request: HttpRequest, action: Action, subject: Model | None = None, **detail: Any
) -> None:
    """Notes that the signed-in person did `action` to `subject`.

    Synchronous: an async view calls it within its own `database.write`. A reading that cannot be
    noted must not happen, so call it before showing or sending anything.
    """
    AuditEvent.objects.create(
        actor_id=request.user.pk,
        actor_name=request.user.get_username(),
        action=action,
        kind=subject._meta.model_name or "" if subject else "",
        object_id=str(subject.pk) if subject and subject.pk else "",
        object_name=str(subject)[:200] if subject else "",
        address=client_address(request),
        detail=detail,
    )


def client_address(request: HttpRequest) -> str | None:
    """Where the request came from, as far as the server can vouch for it."""
    return request.META.get("REMOTE_ADDR") or None
