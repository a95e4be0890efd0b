"""What administrators did with other people's things: written once, never altered."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Action(models.TextChoices):
    READ = "read", _("read")
    EXPORT = "export", _("exported")
    ADD = "add", _("added")
    DELETE = "delete", _("deleted")
    RESTORE = "restore", _("restored")
    HOLD = "hold", _("put on hold")
    RELEASE = "release", _("released from hold")
    CANCEL = "cancel", _("cancelled")
    CHANGE = "change", _("changed")
    TEST = "test", _("tested")


class AuditEvent(models.Model):
    """Who did what, to which thing, from where, when.

    Names are kept beside the keys, so that an event still tells its story when the person or the
    thing is gone. `detail` is what the action alone knows, such as an export's filter and count.
    Events hold nothing of what people wrote and are kept for good: triggers refuse to alter or
    delete them, so a migration that rebuilds this table on SQLite has to make its triggers anew.
    """

    at = models.DateTimeField(_("when"), default=timezone.now, db_index=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="+",
        verbose_name=_("who"),
    )
    actor_name = models.CharField(_("name"), max_length=150)
    action = models.CharField(_("what"), max_length=16, choices=Action)
    kind = models.CharField(_("kind"), max_length=40, blank=True)
    object_id = models.CharField(_("which"), max_length=64, blank=True)
    object_name = models.CharField(_("its name"), max_length=200, blank=True)
    address = models.GenericIPAddressField(_("from where"), null=True, blank=True)
    detail = models.JSONField(_("details"), default=dict, blank=True)

    class Meta:
        ordering = ["-at", "-id"]
        verbose_name = _("audit event")
        verbose_name_plural = _("audit events")

    def __str__(self) -> str:
        return f"{self.actor_name} {self.action} {self.object_name}"
