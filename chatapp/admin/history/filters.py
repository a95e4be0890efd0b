"""What stands in a list's address → which conversations it shows.

A value that nobody could have chosen is refused with a sentence: a list that silently shows
everything, or nothing, would be believed.
"""

from collections.abc import Callable, Iterator
from operator import itemgetter
from typing import Any, TypeVar, cast

from django.contrib.admin import SimpleListFilter
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth.models import Group, User
from django.db.models import Q, QuerySet, TextField, Value
from django.db.models.functions import Cast
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from chatapp.admin.history.links import hidden_inputs
from chatapp.errors import InvalidInput
from chatapp.models import Conversation, Endpoint, Status, Summary
from chatapp.models.message import LIVE
from chatapp.templatetags.history import STATUS_WORDS

T = TypeVar("T")

Choices = list[tuple[str, Any]]

_ENDED = [status for status in Status if status not in LIVE]


class ChoiceFilter(SimpleListFilter):
    """One of the choices that it offers, and nothing else."""

    def __init__(
        self, request: HttpRequest, params: dict[str, Any], model: type, model_admin: Any
    ) -> None:
        super().__init__(request, params, model, model_admin)
        value = self.value()
        if value is not None and not self.knows(value):
            raise InvalidInput(
                _("The filter “%(filter)s” has no choice “%(value)s”.")
                % {"filter": self.title, "value": value[:80]}
            )

    def knows(self, value: str) -> bool:
        return value in {str(known) for known, _title in self.lookup_choices}

    def has_output(self) -> bool:
        return True

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Conversation]
    ) -> QuerySet[Conversation]:
        value = self.value()
        return queryset if value is None else queryset.filter(self.condition(value))

    def condition(self, value: str) -> Q:
        """What a conversation must be; `value` is one that is known."""
        raise NotImplementedError


class FixedFilter(ChoiceFilter):
    """Choices that are always the same: value → title and condition."""

    conditions: dict[str, tuple[Any, Q]]

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [(value, title) for value, (title, _condition) in self.conditions.items()]

    def condition(self, value: str) -> Q:
        return self.conditions[value][1]


class UserFilter(ChoiceFilter):
    """A person by name: typed, for a list of a thousand names helps nobody."""

    title = gettext_lazy("user")
    parameter_name = "user"
    template = "admin/chatapp/conversation/_user_filter.html"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return []

    def knows(self, value: str) -> bool:
        return owner_in(self.request) is not None

    def condition(self, value: str) -> Q:
        return Q(summary__owner=owner_in(self.request))

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        yield {
            "value": self.value() or "",
            "hidden": hidden_inputs(changelist, "user"),
            "everybody": changelist.get_query_string(remove=["user"]),
        }


class GroupFilter(ChoiceFilter):
    title = gettext_lazy("group")
    parameter_name = "group"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [(key, name) for kind, key, name in _offered(request) if kind == "group"]

    def condition(self, value: str) -> Q:
        members = User.groups.through.objects.filter(group=int(value))
        return Q(summary__owner__in=members.values("user"))


class _NamesFilter(ChoiceFilter):
    """A name that replies bear: offered are those of today's endpoints, taken are all that any
    reply ever had."""

    column: str

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        names = {name for kind, _key, name in _offered(request) if kind == self.parameter_name}
        return [(name, name) for name in sorted(names - {""})]

    def knows(self, value: str) -> bool:
        if super().knows(value):
            return True
        self.lookup_choices.append((value, value))
        return Summary.objects.filter(**self._having(value)).exists()

    def condition(self, value: str) -> Q:
        return Q(**{f"summary__{name}": line for name, line in self._having(value).items()})

    def _having(self, value: str) -> dict[str, str]:
        return {f"{self.column}__contains": f"\n{value}\n"}


class EndpointFilter(_NamesFilter):
    title = gettext_lazy("endpoint")
    parameter_name = "endpoint"
    column = "endpoint_names"


class ModelFilter(_NamesFilter):
    title = gettext_lazy("model")
    parameter_name = "model"
    column = "model_names"


class StatusFilter(FixedFilter):
    title = gettext_lazy("status of the last reply")
    parameter_name = "status"
    conditions = {
        "live": (gettext_lazy("being written"), Q(summary__status__in=LIVE)),
        **{str(s): (STATUS_WORDS[s], Q(summary__status=s)) for s in _ENDED},
        "none": (gettext_lazy("no reply yet"), Q(summary__status="")),
    }


class ErrorFilter(FixedFilter):
    title = gettext_lazy("errors")
    parameter_name = "error"
    conditions = {
        "yes": (gettext_lazy("has an error"), Q(summary__errors__gt=0)),
        "no": (gettext_lazy("has none"), Q(summary__errors=0)),
    }


class FeedbackFilter(FixedFilter):
    title = gettext_lazy("feedback")
    parameter_name = "feedback"
    conditions = {
        "up": (gettext_lazy("👍 good replies"), Q(summary__likes__gt=0)),
        "down": (gettext_lazy("👎 bad replies"), Q(summary__dislikes__gt=0)),
        "reason": (gettext_lazy("with a reason"), Q(summary__reasons__gt=0)),
        "none": (gettext_lazy("none"), Q(summary__likes=0, summary__dislikes=0)),
    }


class FirstTokenFilter(FixedFilter):
    title = gettext_lazy("slowest first token")
    parameter_name = "first_token"
    conditions = {
        "2s": (gettext_lazy("2 s or more"), Q(summary__first_token_ms__gte=2_000)),
        "5s": (gettext_lazy("5 s or more"), Q(summary__first_token_ms__gte=5_000)),
        "10s": (gettext_lazy("10 s or more"), Q(summary__first_token_ms__gte=10_000)),
        "30s": (gettext_lazy("30 s or more"), Q(summary__first_token_ms__gte=30_000)),
    }


class LengthFilter(FixedFilter):
    title = gettext_lazy("length")
    parameter_name = "length"
    conditions = {
        "0-2": (gettext_lazy("up to 2 messages"), Q(summary__messages__lte=2)),
        "3-10": (gettext_lazy("3 to 10"), Q(summary__messages__range=(3, 10))),
        "11-50": (gettext_lazy("11 to 50"), Q(summary__messages__range=(11, 50))),
        "51-200": (gettext_lazy("51 to 200"), Q(summary__messages__range=(51, 200))),
        "201": (gettext_lazy("more than 200"), Q(summary__messages__gt=200)),
    }


class DeletedFilter(FixedFilter):
    title = gettext_lazy("deleted")
    parameter_name = "deleted"
    conditions = {
        "no": (gettext_lazy("no"), Q(summary__is_deleted=False)),
        "yes": (gettext_lazy("yes"), Q(summary__is_deleted=True)),
    }


def owner_in(request: HttpRequest) -> int | None:
    """The id of the person whom the address names, if it names one. Raises InvalidInput."""
    name = request.GET.get("user")
    if name is None:
        return None
    return _once(request, "owner_id", lambda: _owner_named(name))


def _owner_named(name: str) -> int:
    found = User.objects.filter(username=name).values_list("pk", flat=True).first()
    if found is not None:
        return found
    similar = User.objects.filter(username__icontains=name).order_by("username")
    names = ", ".join(f"“{known}”" for known in similar.values_list("username", flat=True)[:5])
    hint = _(" Did you mean %(names)s?") % {"names": names} if names else ""
    raise InvalidInput(_("Nobody is called “%(name)s”.") % {"name": name[:80]} + hint)


def _offered(request: HttpRequest) -> list[tuple[str, str, str]]:
    """Today's groups, endpoints and models as (parameter, value, title), in one query."""
    groups = Group.objects.values_list(Value("group"), Cast("pk", TextField()), "name")
    endpoints = Endpoint.objects.values_list(Value("endpoint"), Value(""), "name")
    served = Endpoint.objects.values_list(Value("model"), Value(""), "model")
    every = groups.order_by().union(endpoints.order_by(), served.order_by())
    return _once(request, "offered", lambda: sorted(every, key=itemgetter(2)))


def _once(request: HttpRequest, name: str, find: Callable[[], T]) -> T:
    """What several filters of a page ask for is looked up by the first of them."""
    found: dict[str, Any] = request.__dict__.setdefault("found_once", {})
    if name not in found:
        found[name] = find()
    return cast("T", found[name])
