"""People, groups and sign-ins: the pages of Django and axes, with changes as audit events."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

from axes.admin import AccessAttemptAdmin, AccessFailureLogAdmin, AccessLogAdmin
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from chatapp.admin.audit import Audited
from chatapp.admin.oversight import announce
from chatapp.library import own_data
from chatapp.models import Departure, Endpoint, Hold
from chatapp.models.audit import Action
from chatapp.oversight.audit import record_each
from chatapp.templatetags.history import moment

_THE_LAST = _("the last administrator of this service")
_HELD = {"conversations": _("conversations"), "messages": _("messages"), "files": _("files")}

# They register themselves when they are imported.
admin.site.unregister([User, Group, AccessAttempt, AccessFailureLog, AccessLog])


@admin.register(User)
class PersonAdmin(Audited, UserAdmin):  # type: ignore[type-arg]
    """Whoever is deleted here leaves as by their own page: for everybody at once, for good when the
    grace is over. Nothing of what they said is shown or removed on the way."""

    list_select_related = ["departure"]

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return [*super().get_list_display(request), "left"]

    @admin.display(description=_("deleted"), ordering="departure__at")
    def left(self, person: User) -> str:
        gone = None if person.is_active else getattr(person, "departure", None)
        return moment(gone.at, gettext("j M Y, H:i")) if gone else ""

    def get_deleted_objects(
        self, objs: Sequence[User] | QuerySet[User], request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        people = list(objs)
        counts = {str(User._meta.verbose_name_plural): len(people)}
        for person in people:
            for name, count in asdict(own_data.holdings(person)).items():
                counts[str(_HELD[name])] = counts.get(str(_HELD[name]), 0) + count
        held = Hold.objects.filter(person__in=people).select_related("person")
        kept = [f"{Hold._meta.verbose_name}: {hold}" for hold in held]
        if not own_data.may_leave(people):
            kept.append(str(_THE_LAST))
        return [str(person) for person in people], counts, set(), kept

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Whoever is made active again has not left."""
        super().save_model(request, obj, form, change)
        if obj.is_active:
            Departure.objects.filter(person=obj).delete()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for person in queryset:
            self.delete_model(request, person)

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        """Once: whoever left before keeps the day on which the grace began."""
        if obj.is_active or not hasattr(obj, "departure"):
            deletion = own_data.leave(obj)
            transaction.on_commit(partial(announce, deletion.newest))


@admin.register(Group)
class RightsAdmin(Audited, GroupAdmin):
    def log_deletions(  # type: ignore[override]
        self, request: HttpRequest, queryset: Iterable[Group]
    ) -> None:
        """An endpoint whose last group goes is disabled with it."""
        super().log_deletions(request, queryset)  # type: ignore[arg-type]
        others = Group.objects.exclude(pk__in=[group.pk for group in queryset])
        theirs = Endpoint.objects.filter(groups__in=queryset, enabled=True).distinct()
        record_each(request, Action.CHANGE, theirs.exclude(groups__in=others), fields=["enabled"])


@admin.register(AccessAttempt)
class FailedSignInAdmin(Audited, AccessAttemptAdmin):  # type: ignore[misc]
    pass


@admin.register(AccessFailureLog)
class RefusedSignInAdmin(Audited, AccessFailureLogAdmin):  # type: ignore[misc]
    pass


@admin.register(AccessLog)
class SignInAdmin(Audited, AccessLogAdmin):  # type: ignore[misc]
    pass
