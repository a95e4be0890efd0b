"""An administrator's deed → an audit event, in the same transaction as the deed."""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any, TypeAlias

from django.apps import apps
from django.conf import settings
from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import gettext as _

from chatapp.models import Conversation
from chatapp.models.audit import Action, AuditEvent

Subject: TypeAlias = Model | type[Model] | None

_EVENTS_AT_ONCE = 500


def record(request: HttpRequest, action: Action, subject: Subject = None, **detail: Any) -> None:
    """Notes that the signed-in person did `action` to `subject`: a thing, or several of a kind.

    Synchronous: an async view calls it within its own `database.write`. A reading that cannot be
    noted must not happen, so call it before showing or sending anything.
    """
    _event(request, action, subject, detail).save(force_insert=True)


def record_each(
    request: HttpRequest, action: Action, subjects: Iterable[Model], **detail: Any
) -> None:
    """An event for each of them, as `record` makes it."""
    events = [_event(request, action, subject, detail) for subject in subjects]
    AuditEvent.objects.bulk_create(events, batch_size=_EVENTS_AT_ONCE)


def subject_of(event: AuditEvent) -> str:
    """What it was done to, in the reader's words."""
    model = model_of(event.kind)
    if model is None:
        return f"{event.kind} {event.object_name}".strip() or "–"
    if not event.object_id:
        return str(model._meta.verbose_name_plural)
    if model is Conversation:
        return _("conversation of %(person)s") % {"person": event.object_name}
    return f"{model._meta.verbose_name} {event.object_name}"


def model_of(kind: str) -> type[Model] | None:
    """The model that an event calls so."""
    return next((model for model in apps.get_models() if model._meta.model_name == kind), None)


def client_address(request: HttpRequest) -> str | None:
    """Where the request came from, as far as the server can vouch for it.

    Each proxy adds whom it heard from to the end of X-Forwarded-For, so of so many trusted ones
    the outermost added the entry that many from the right; what stands before it may be forged.
    """
    peer = _address(request.META.get("REMOTE_ADDR", ""))
    if not settings.TRUSTED_PROXIES:
        return peer
    said = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    if len(said) < settings.TRUSTED_PROXIES:
        return peer
    return _address(said[-settings.TRUSTED_PROXIES]) or peer


def _event(
    request: HttpRequest, action: Action, subject: Subject, detail: dict[str, Any]
) -> AuditEvent:
    event = AuditEvent(
        actor_id=request.user.pk,
        actor_name=request.user.get_username(),
        action=action,
        address=client_address(request),
        detail=detail,
    )
    if subject is not None:
        event.kind = subject._meta.model_name or ""
    if isinstance(subject, Model):
        event.object_id, event.object_name = str(subject.pk or ""), _name_of(subject)[:200]
    return event


def _name_of(subject: Model) -> str:
    """A conversation is named after its person alone: events stay when its title must not."""
    return subject.owner.get_username() if isinstance(subject, Conversation) else str(subject)


def _address(text: str) -> str | None:
    """The address in its plain form, without a port or a zone; None for anything else."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address: IPv4Address | IPv6Address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)
