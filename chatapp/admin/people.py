"""People, groups and sign-ins: the pages of Django and axes, with changes as audit events."""

from axes.admin import AccessAttemptAdmin, AccessFailureLogAdmin, AccessLogAdmin
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User

from chatapp.admin.audit import Audited

# They register themselves when they are imported.
admin.site.unregister([User, Group, AccessAttempt, AccessFailureLog, AccessLog])


@admin.register(User)
class PersonAdmin(Audited, UserAdmin):  # type: ignore[type-arg]
    pass


@admin.register(Group)
class RightsAdmin(Audited, GroupAdmin):
    pass


@admin.register(AccessAttempt)
class FailedSignInAdmin(Audited, AccessAttemptAdmin):  # type: ignore[misc]
    pass


@admin.register(AccessFailureLog)
class RefusedSignInAdmin(Audited, AccessFailureLogAdmin):  # type: ignore[misc]
    pass


@admin.register(AccessLog)
class SignInAdmin(Audited, AccessLogAdmin):  # type: ignore[misc]
    pass
