"""An address → a page of all conversations: searched, filtered, sorted, by year, month and day."""

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin import ShowFacets
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from chatapp.admin.history import address, filters
from chatapp.admin.history.dates import DateFilter
from chatapp.admin.history.pages import refused
from chatapp.admin.history.paging import Bounded
from chatapp.errors import InvalidInput
from chatapp.locales import counted
from chatapp.models import Conversation, Summary
from chatapp.models.search import conversations_with, phrases_in
from chatapp.models.summary import catch_up, catch_up_wholly
from chatapp.templatetags.history import moment, status_words, visible

# Made before a list is shown; more than change in a few seconds.
_SUMMARIES_AT_ONCE = 50
_MOST_TITLES = 1000


class Conversations(ChangeList):
    """Django's list of one page, which says no to what it does not know."""

    dates: DateFilter

    def get_filters(self, request: HttpRequest) -> Any:
        found = super().get_filters(request)
        self.dates = next(spec for spec in found[0] if isinstance(spec, DateFilter))
        return found

    def get_queryset(
        self, request: HttpRequest, exclude_parameters: list[str | None] | None = None
    ) -> QuerySet[Conversation]:
        found: QuerySet[Conversation] = super().get_queryset(request, exclude_parameters)
        # Joined, SQLite would begin with the people and sort all that they ever said.
        return found.filter(summary__isnull=False).prefetch_related("owner")

    def get_results(self, request: HttpRequest) -> None:
        try:
            super().get_results(request)
            if not 1 <= self.page_num <= self.paginator.num_pages:
                raise IncorrectLookupParameters
        except IncorrectLookupParameters:
            raise InvalidInput(_("This list has no page %(p)s.") % {"p": self.page_num}) from None


class Listing(admin.ModelAdmin):  # type: ignore[type-arg]
    """The list of conversations, newest activity first."""

    list_display = [
        "shown_title",
        "user",
        "endpoint_names",
        "message_count",
        "token_count",
        "first_token",
        "feedback",
        "status",
        "last_activity",
    ]
    list_display_links = ["shown_title"]
    list_filter = [
        filters.UserFilter,
        filters.GroupFilter,
        DateFilter,
        filters.EndpointFilter,
        filters.ModelFilter,
        filters.StatusFilter,
        filters.ErrorFilter,
        filters.FeedbackFilter,
        filters.FirstTokenFilter,
        filters.LengthFilter,
        filters.DeletedFilter,
    ]
    list_select_related = ["summary"]
    list_per_page = 50
    list_max_show_all = 0
    ordering = ["-summary__active_at"]
    paginator = Bounded
    search_fields = ["title"]
    search_help_text = gettext_lazy(
        "Words that must all stand in one message, or all in the title."
    )
    show_facets = ShowFacets.NEVER
    show_full_result_count = False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.POST.get("select_across") == "1":
            catch_up_wholly()
        is_behind = catch_up(_SUMMARIES_AT_ONCE) == _SUMMARIES_AT_ONCE
        try:
            address.check(request.GET, self.list_filter)
            response = super().changelist_view(
                request,
                {"is_behind": is_behind, "is_nav_sidebar_enabled": False, **(extra_context or {})},
            )
        except InvalidInput as problem:
            return refused(self, request, str(problem))
        if isinstance(response, TemplateResponse) and response.context_data:
            response.context_data |= _beside(response.context_data.get("cl"))
        return response

    def response_action(  # type: ignore[override]
        self, request: HttpRequest, queryset: QuerySet[Conversation]
    ) -> HttpResponse | None:
        """Back to the first page: the one before may be gone with what stood on it."""
        response = super().response_action(request, queryset)
        if response is None or response.get("Location") != request.get_full_path():
            return response
        query = request.GET.copy()
        query.pop("p", None)
        return redirect(f"{request.path}?{query.urlencode()}")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return Conversations

    def get_queryset(self, request: HttpRequest) -> QuerySet[Conversation]:
        found: QuerySet[Conversation] = super().get_queryset(request)
        return found.defer("system_prompt", "parameters")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Conversation], search_term: str
    ) -> tuple[QuerySet[Conversation], bool]:
        """Those with all the words, in a message or in the title; operators are words as well."""
        if not search_term.strip():
            return queryset, False
        phrases = phrases_in(search_term)
        if not phrases:
            messages.info(request, _("There is no word in this search."))
            return queryset.none(), False
        owner_id = filters.owner_in(request)
        found, are_all = conversations_with(phrases, owner_id)
        if not are_all:
            messages.info(
                request,
                _(
                    "Very many conversations have these words: the newest %(count)s of them are "
                    "shown and filtered. Add a word or choose a user to find older ones."
                )
                % {"count": len(found)},
            )
        titled = _titled(phrases)
        if owner_id is None:
            newest = titled.order_by("-active_at")[:_MOST_TITLES]
            return queryset.filter(pk__in={*found, *newest}), False
        # One person's are so few that the list may look at each; everybody's are asked for alone.
        in_title = Q(pk__in=titled.filter(owner=owner_id).values("pk"))
        return queryset.filter(Q(pk__in=found) | in_title), False

    @admin.display(description=gettext_lazy("title"))
    def shown_title(self, conversation: Conversation) -> SafeString:
        title = visible(conversation.title) if conversation.title else _("New conversation")
        if conversation.deleted_at is None:
            return format_html("<bdi>{}</bdi>", title)
        return format_html('<bdi>{}</bdi> <span class="tag">{}</span>', title, _("deleted"))

    @admin.display(description=gettext_lazy("user"))
    def user(self, conversation: Conversation) -> SafeString:
        return format_html("<bdi>{}</bdi>", visible(conversation.owner.get_username()))

    @admin.display(description=gettext_lazy("endpoint"), empty_value="–")
    def endpoint_names(self, conversation: Conversation) -> SafeString:
        names = conversation.summary.endpoint_names.split("\n")[1:-1]
        return format_html_join(", ", "<bdi>{}</bdi>", ((visible(name),) for name in names))

    @admin.display(description=gettext_lazy("messages"), ordering="summary__messages")
    def message_count(self, conversation: Conversation) -> str:
        return counted(conversation.summary.messages)

    @admin.display(description=gettext_lazy("tokens"), ordering="summary__tokens")
    def token_count(self, conversation: Conversation) -> str:
        return counted(conversation.summary.tokens)

    @admin.display(description=gettext_lazy("first token"), ordering="summary__first_token_ms")
    def first_token(self, conversation: Conversation) -> str:
        waited_ms = conversation.summary.first_token_ms
        return "" if waited_ms is None else f"{counted(waited_ms / 1000, 2)} s"

    @admin.display(description=gettext_lazy("feedback"))
    def feedback(self, conversation: Conversation) -> SafeString:
        summary = conversation.summary
        kinds = ((summary.likes, "👍", _("good")), (summary.dislikes, "👎", _("bad")))
        return format_html_join(
            " ", '<span title="{}">{}&nbsp;{}</span>', ((t, icon, n) for n, icon, t in kinds if n)
        )

    @admin.display(description=gettext_lazy("status"))
    def status(self, conversation: Conversation) -> SafeString | str:
        status = conversation.summary.status
        if not status:
            return ""
        words = status_words(status)
        return format_html('<span class="state" data-status="{}">{}</span>', status, words)

    @admin.display(description=gettext_lazy("last activity"), ordering="summary__active_at")
    def last_activity(self, conversation: Conversation) -> SafeString:
        return moment(conversation.active_at, _("j M Y, H:i"))


def _beside(cl: Conversations | None) -> dict[str, Any]:
    """What the template shows around a list."""
    if cl is None:
        return {}
    found: dict[str, Any] = {"dates_back": cl.dates.back(cl)}
    if not cl.query:  # what is found is little, and costs queries enough
        found["dates_steps"] = cl.dates.steps(cl)
    if cl.paginator.is_cut:
        found["selection_note_all"] = _("All are selected")
    return found


def _titled(phrases: list[list[str]]) -> QuerySet[Summary, UUID]:
    """The conversations that have all the words in their titles."""
    found = Summary.objects.values_list("pk", flat=True)
    for tokens in phrases:
        found = found.filter(title_words__contains=" ".join(tokens))
    return found
