"""Who may look at what people write, for the pages that say so."""

from django import template
from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import QuerySet

from chatapp.models import AuditEvent
from chatapp.oversight.audit import subject_of

register = template.Library()

_RECENT = 8


@register.simple_tag
def administrators_read() -> bool:
    """Whether administrators can read conversations here."""
    return settings.ADMIN_READS_CONVERSATIONS


@register.simple_tag
def readers() -> "QuerySet[User]":
    """Those who can."""
    may_read = User.objects.with_perm(
        "chatapp.view_conversation", backend="django.contrib.auth.backends.ModelBackend"
    )
    return may_read.filter(is_staff=True).order_by("username")


@register.simple_tag
def superusers() -> int:
    """How many people have every right."""
    return User.objects.filter(is_superuser=True, is_active=True).count()


register.filter(subject_of)


@register.simple_tag
def deeds_of(user: User) -> "QuerySet[AuditEvent]":
    """What they did last, newest first."""
    return AuditEvent.objects.filter(actor_id=user.pk)[:_RECENT]
