"""A legal hold: as long as it stands, nothing that was said in a conversation, or by a person in
any of theirs, is removed.

Prompts and presets are no part of it: they are tools, which change and go as their person likes,
and each message keeps what was sent with them. Whoever is held is not told: a page that refused to
delete would tell them.
"""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, ProtectedError, Q
from django.db.models.signals import pre_delete
from django.dispatch import receiver
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from chatapp.models.conversation import Conversation


class Hold(models.Model):
    """On one conversation, or on one person and all that is theirs.

    Its row is the hold: releasing it deletes the row, and the audit events tell its story. What it
    names is protected, so that no way of deleting, the admin's neither, gets past it.
    """

    conversation = models.ForeignKey(
        Conversation,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="holds",
        verbose_name=_("conversation"),
        help_text=_("Its id, as in its address. Leave it empty to hold all of a person's."),
    )
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="holds",
        verbose_name=_("person"),
        help_text=_("Holds every conversation of theirs, and the account."),
    )
    reason = models.TextField(
        _("reason"), help_text=_("Such as the name of the matter. Only administrators see it.")
    )
    placed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("placed by"),
    )
    since = models.DateTimeField(_("since"), auto_now_add=True)

    class Meta:
        ordering = ["-since"]
        verbose_name = _("legal hold")
        verbose_name_plural = _("legal holds")
        constraints = [
            models.CheckConstraint(
                condition=Q(conversation=None, person__isnull=False)
                | Q(conversation__isnull=False, person=None),
                name="hold_on_one_thing",
                violation_error_message=_("Name either a conversation or a person."),
            )
        ]

    def __str__(self) -> str:
        return str(self.conversation_id or self.person)


def is_held() -> Exists:
    """For queries over conversations: whether a hold stands on one, or on its owner."""
    on_it = Q(conversation=OuterRef("pk")) | Q(person=OuterRef("owner"))
    return Exists(Hold.objects.filter(on_it))


def is_person_held() -> Exists:
    """The same for queries over people."""
    return Exists(Hold.objects.filter(person=OuterRef("pk")))


@receiver(pre_delete, sender=Conversation)
def _refuse(sender: Any, instance: Conversation, **kwargs: Any) -> None:
    """A person's hold is not on the conversation's own row, where it would protect itself."""
    if Hold.objects.filter(person=instance.owner_id).exists():
        raise ProtectedError(gettext("This conversation is on hold."), {instance})
