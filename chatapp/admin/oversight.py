"""Administrators and people's conversations: what they may do, if the service lets them at all."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial, wraps
from typing import Any
from uuid import UUID

from asgiref.sync import async_to_sync
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.actions import delete_selected
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from chatapp.admin.audit import Audited
from chatapp.generation import bus
from chatapp.models import Conversation
from chatapp.models.audit import Action
from chatapp.oversight.audit import record_each
from chatapp.text import spelled_out

_NAMED = 20
_AT_ONCE = 500


class Overseen(Audited):
    """Conversations are deleted as their people delete them, brought back, and, where
    ADMIN_READS_CONVERSATIONS is off, not shown at all."""

    actions = ["delete_selected", "restore_selected"]
    tells_itself = True  # in the transaction that deletes
    list_per_page = 50

    @property
    def urls(self) -> list[URLPattern]:
        """All pages, those of subclasses too, behind the switch."""
        patterns: list[URLPattern] = self.get_urls()
        for pattern in patterns:
            pattern.callback = _behind_the_switch(pattern.callback)
        return patterns

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return settings.ADMIN_READS_CONVERSATIONS and super().has_view_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        may_delete = super().has_delete_permission(request, obj)
        return may_delete and self.has_view_permission(request, obj)

    def tools(self, request: HttpRequest, conversation: Conversation) -> list[tuple[str, str]]:
        """What can be done with one beside reading it: words, and where they lead."""
        if conversation.deleted_at or not self.has_delete_permission(request):
            return []
        return [(_("Delete"), reverse("admin:chatapp_conversation_delete", args=[conversation.pk]))]

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Conversation | None:
        """To be named on Django's pages, where nothing may hide what its title says; never saved
        whole."""
        found: Conversation | None = super().get_object(request, object_id, from_field)
        if found is not None:
            found.title = spelled_out(found.title)
        return found

    def get_deleted_objects(
        self, objs: Sequence[Any] | QuerySet[Any], request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """They alone: nothing of them leaves the database now."""
        named = [spelled_out(str(conversation)) for conversation in objs[:_NAMED]]
        more = len(objs) - len(named)
        if more:
            named.append(ngettext("and %d more", "and %d more", more) % more)
        return named, {str(self.opts.verbose_name_plural): len(objs)}, set(), []

    def delete_model(self, request: HttpRequest, obj: Conversation) -> None:
        self.delete_queryset(request, Conversation.objects.filter(pk=obj.pk))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Conversation]) -> None:
        kept = queryset.filter(deleted_at=None)
        _change(request, Action.DELETE, kept, deleted_at=timezone.now())

    @admin.action(
        permissions=["delete"],
        description=gettext_lazy("Delete selected %(verbose_name_plural)s"),
    )
    def delete_selected(
        self, request: HttpRequest, queryset: QuerySet[Conversation]
    ) -> HttpResponse | None:
        """Django's, for those that are still there."""
        kept = queryset.filter(deleted_at=None)
        if not kept.exists():
            self.message_user(request, _("They were deleted before."), messages.INFO)
            return None
        return delete_selected(self, request, kept)

    @admin.action(
        permissions=["delete"],
        description=gettext_lazy("Restore selected %(verbose_name_plural)s"),
    )
    def restore_selected(self, request: HttpRequest, queryset: QuerySet[Conversation]) -> None:
        gone = queryset.exclude(deleted_at=None)
        count = _change(request, Action.RESTORE, gone, deleted_at=None)
        if not count:
            self.message_user(request, _("None of them was deleted."), messages.INFO)
            return
        said = ngettext("%d conversation restored.", "%d conversations restored.", count) % count
        self.message_user(request, said, messages.SUCCESS)


def _change(
    request: HttpRequest, action: Action, conversations: QuerySet[Conversation], **fields: Any
) -> int:
    """Changes them and writes it down; returns how many there were."""
    with transaction.atomic():
        found = list(conversations.order_by("pk").select_related("owner"))
        ids = [conversation.pk for conversation in found]
        record_each(request, action, found)
        for some in _some(ids):
            Conversation.objects.filter(pk__in=some).update(updated_at=timezone.now(), **fields)
        transaction.on_commit(partial(announce, ids))
    return len(ids)


def _some(ids: Sequence[UUID]) -> Iterable[Sequence[UUID]]:
    return (ids[start : start + _AT_ONCE] for start in range(0, len(ids), _AT_ONCE))


@async_to_sync
async def announce(ids: Sequence[UUID]) -> None:
    """Pages that show them hear of it, and replies that are being written for them end."""
    for conversation_id in ids:
        bus.announce(conversation_id)


def _behind_the_switch(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    @wraps(view)
    def switched(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not settings.ADMIN_READS_CONVERSATIONS:
            raise PermissionDenied(
                _(
                    "This service keeps its people's conversations from its administrators: "
                    "ADMIN_READS_CONVERSATIONS is off."
                )
            )
        return view(request, *args, **kwargs)

    return switched
