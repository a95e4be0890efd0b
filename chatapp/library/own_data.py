"""What a person decides about all that is theirs: delete every conversation, leave.

Everything here is synchronous.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from chatapp.errors import InvalidInput
from chatapp.library.catalog import UNDO
from chatapp.models import Attachment, Conversation, Departure, Message

# Whose pages hear of it at once; the others find out when they look next.
_TOLD = 200


@dataclass(frozen=True, slots=True)
class Holdings:
    """How much there is that a person sees."""

    conversations: int
    messages: int
    files: int


@dataclass(frozen=True, slots=True)
class Deletion:
    """Conversations that went together, at one moment; `newest` are the last of them."""

    at: datetime
    count: int
    newest: Sequence[UUID]


def holdings(user: User) -> Holdings:
    conversations = _kept(user)
    return Holdings(
        conversations.count(),
        Message.objects.filter(conversation__in=conversations).count(),
        Attachment.objects.filter(message__conversation__in=conversations).count(),
    )


def delete_all(user: User) -> Deletion:
    """Takes away every conversation, the archive too; `bring_back` undoes it for a while."""
    now = timezone.now()
    with transaction.atomic():
        newest = list(_kept(user).order_by("-active_at").values_list("pk", flat=True)[:_TOLD])
        count = _kept(user).update(deleted_at=now, updated_at=now)
    return Deletion(now, count, newest)


def restorable(user: User, moment: datetime) -> int:
    """How many went at this moment and can still be brought back."""
    return _gone(user, moment).count()


def bring_back(user: User, moment: datetime) -> Deletion:
    """Undoes a `delete_all` of this moment."""
    gone = _gone(user, moment)
    newest = list(gone.order_by("-active_at").values_list("pk", flat=True)[:_TOLD])
    return Deletion(moment, gone.update(deleted_at=None, updated_at=timezone.now()), newest)


def leave(user: User) -> Deletion:
    """Closes the account and every session of it; what is theirs goes when the grace is over.

    Raises InvalidInput if nobody else could administrate this service then.
    """
    with transaction.atomic():
        if not may_leave([user]):
            raise InvalidInput(_("You are the only administrator. Make somebody else one first."))
        deletion = delete_all(user)
        Departure.objects.update_or_create(person=user, defaults={"at": deletion.at})
        user.is_active = False
        user.set_unusable_password()  # which no session outlives, even if the account comes back
        user.save(update_fields=["is_active", "password"])
    return deletion


def may_leave(people: Collection[User]) -> bool:
    """Whether they are no administrators, or somebody else can administrate this service then."""
    if not any(user.is_superuser for user in people):
        return True
    administrators = User.objects.filter(is_superuser=True, is_staff=True, is_active=True)
    return administrators.exclude(pk__in=[user.pk for user in people]).exists()


def _kept(user: User) -> QuerySet[Conversation]:
    return Conversation.objects.filter(owner=user, deleted_at=None).order_by()


def _gone(user: User, moment: datetime) -> QuerySet[Conversation]:
    if moment < timezone.now() - UNDO:
        return Conversation.objects.none()
    return Conversation.objects.filter(owner=user, deleted_at=moment).order_by()
