"""Limits in the admin: of people and groups, beside what they have used, and what everybody has."""

from datetime import UTC, date, datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import F, OuterRef, QuerySet, Subquery, Sum
from django.http import HttpRequest, HttpResponse
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from chatapp.admin.audit import Audited, Unalterable
from chatapp.limits.allowances import default
from chatapp.limits.standing import in_words, service_standing
from chatapp.locales import counted
from chatapp.models import Limit, Usage
from chatapp.models.audit import Action
from chatapp.oversight import audit

_MOST = ("prompts_a_minute", "parallel_replies", "tokens_a_day", "tokens_a_month")


class LimitForm(forms.ModelForm):  # type: ignore[type-arg]
    """People are named, not chosen from a list: there may be thousands."""

    user = forms.ModelChoiceField(
        User.objects.all(),
        to_field_name="username",
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
        label=_("Person"),
        help_text=_("The name to sign in with; empty for a group."),
        error_messages={"invalid_choice": _("Nobody has this name.")},
    )

    class Meta:
        model = Limit
        fields = ("user", "group", *_MOST)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.user is not None:
            self.initial["user"] = self.instance.user.get_username()


@admin.register(Limit)
class LimitAdmin(Audited):
    tells_itself = True
    form = LimitForm
    fieldsets = [
        (None, {"fields": ["user", "group"]}),
        (
            _("At most"),
            {
                "fields": _MOST,
                "description": _("Empty is unlimited, 0 is none; the defaults do not apply then."),
            },
        ),
    ]
    list_display = ["whose", *_MOST, "today", "this_month"]
    list_select_related = ["user", "group"]
    empty_value_display = _("unlimited")
    search_fields = ["user__username", "group__name"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Limit]:
        """With what has been used: of a group, by all who are in it."""
        day, month = _today()
        own = Usage.objects.filter(person=OuterRef("user"))
        members = Usage.objects.filter(person__groups=OuterRef("group")).values("person__groups")
        today, this_month = members.filter(day__gte=day), members.filter(month__gte=month)
        limits: QuerySet[Limit] = super().get_queryset(request)
        return limits.annotate(
            own_today=Subquery(own.filter(day__gte=day).values("day_tokens")),
            own_month=Subquery(own.filter(month__gte=month).values("month_tokens")),
            group_today=Subquery(today.annotate(sum=Sum("day_tokens")).values("sum")),
            group_month=Subquery(this_month.annotate(sum=Sum("month_tokens")).values("sum")),
        )

    @admin.display(description=_("whose"), ordering=F("user__username").asc(nulls_last=True))
    def whose(self, limit: Limit) -> str:
        return str(limit) if limit.user else str(_("everyone in %s")) % limit

    @admin.display(description=_("tokens today"))
    def today(self, limit: Any) -> str:
        return counted((limit.own_today if limit.user else limit.group_today) or 0)

    @admin.display(description=_("tokens this month"))
    def this_month(self, limit: Any) -> str:
        return counted((limit.own_month if limit.user else limit.group_month) or 0)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return super().changelist_view(request, {**(extra_context or {}), **_of_everybody(self)})

    def save_model(self, request: HttpRequest, obj: Limit, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        changes = {n: [form.initial.get(n), _told(obj, n)] for n in form.changed_data}
        audit.record(request, Action.CHANGE if change else Action.ADD, obj, **changes)

    def delete_model(self, request: HttpRequest, obj: Limit) -> None:
        audit.record(request, Action.DELETE, obj, **{name: getattr(obj, name) for name in _MOST})
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Limit]) -> None:
        for limit in queryset:
            self.delete_model(request, limit)


@admin.register(Usage)
class UsageAdmin(Unalterable):
    """Read only: what has been spent stays spent. Whoever sees the limits sees it."""

    list_display = ["who", "today", "this_month", "running"]
    list_display_links = None
    search_fields = ["person__username"]
    ordering = ["-month", "-month_tokens"]

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Usage | None = None) -> bool:
        return request.user.has_perm("chatapp.view_limit")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Usage]:
        # Not joined, which would leave those out whose person is gone.
        return super().get_queryset(request).prefetch_related("person")

    @admin.display(description=_("person"))
    def who(self, usage: Usage) -> str:
        try:
            return str(usage.person)
        except User.DoesNotExist:
            return _("deleted user %(number)s") % {"number": usage.pk}

    @admin.display(description=_("tokens today"))
    def today(self, usage: Usage) -> str:
        return counted(usage.day_tokens if usage.day >= _today()[0] else 0)

    @admin.display(description=_("tokens this month"), ordering="month_tokens")
    def this_month(self, usage: Usage) -> str:
        return counted(usage.month_tokens if usage.month >= _today()[1] else 0)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return super().changelist_view(request, {**(extra_context or {}), **_of_everybody(self)})


def _of_everybody(page: "admin.ModelAdmin[Any]") -> dict[str, Any]:
    """What the pages say above their lists."""
    title = capfirst(page.opts.verbose_name_plural)
    return {"title": title, "service": service_standing(), "defaults": in_words(default())}


def _today() -> tuple[date, date]:
    today = datetime.now(UTC).date()
    return today, today.replace(day=1)


def _told(limit: Limit, name: str) -> Any:
    value = getattr(limit, name)
    return str(value) if name in ("user", "group") and value is not None else value
