"""A conversation's messages → one narrow row that lists of all conversations filter and sort by.

Nobody who asks or answers waits for it. A conversation's `updated_at` moves with every change, and
its `summed_up` is the `updated_at` that the summary was made of; a partial index holds those whose
two differ, so that what is due is found at once and nothing is forgotten, whoever changed it.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, models
from django.db.models import OuterRef, Q, Subquery
from django.utils.translation import gettext_lazy as _

from chatapp.models.conversation import IS_DUE, Conversation
from chatapp.models.message import Message, Role
from chatapp.models.search import words_of

_MOST_MS = 2**31 - 1
_AT_ONCE = 500


class Summary(models.Model):
    """`status` is the newest reply's, empty while there is none. `endpoint_names` and `model_names`
    are those of all replies, one a line, with a line's end before and after each. `messages` counts
    every version, and `first_token_ms` is the longest that a reply's first token took."""

    conversation = models.OneToOneField(
        Conversation, primary_key=True, on_delete=models.CASCADE, related_name="summary"
    )
    as_of = models.DateTimeField()
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    title_words = models.TextField(blank=True)
    is_deleted = models.BooleanField(default=False)
    active_at = models.DateTimeField(_("last activity"))
    status = models.CharField(_("status"), max_length=12, blank=True)
    endpoint_names = models.TextField(_("endpoints"), blank=True)
    model_names = models.TextField(_("models"), blank=True)
    messages = models.PositiveIntegerField(_("messages"), default=0)
    tokens = models.PositiveBigIntegerField(_("tokens"), default=0)
    first_token_ms = models.PositiveIntegerField(_("first token"), null=True, blank=True)
    errors = models.PositiveIntegerField(_("errors"), default=0)
    likes = models.PositiveIntegerField(_("good replies"), default=0)
    dislikes = models.PositiveIntegerField(_("bad replies"), default=0)
    reasons = models.PositiveIntegerField(_("reasons given"), default=0)

    class Meta:
        verbose_name = _("summary")
        verbose_name_plural = _("summaries")
        indexes = [
            models.Index(fields=["active_at", "conversation"], name="summary_active_at"),
            models.Index(fields=["owner", "active_at"], name="summary_owner"),
            models.Index(fields=["messages"], name="summary_messages"),
            models.Index(fields=["tokens"], name="summary_tokens"),
            models.Index(fields=["first_token_ms"], name="summary_first_token"),
        ]

    def __str__(self) -> str:
        return str(self.conversation)


def catch_up(most: int) -> int:
    """Makes up to `most` summaries that are due, the newest first; returns how many."""
    summaries = due(most)
    store(summaries)
    return len(summaries)


def catch_up_wholly() -> None:
    """Makes all that are due, for whoever must not miss a conversation."""
    for _round in range(Conversation.objects.filter(IS_DUE).count() // _AT_ONCE + 1):
        catch_up(_AT_ONCE)


def due(most: int) -> list[Summary]:
    """The summaries of up to `most` conversations that changed since theirs was made."""
    changed = Conversation.objects.filter(IS_DUE).order_by("-updated_at")
    conversations = list(changed.defer("system_prompt", "parameters")[:most])
    if not conversations:
        return []
    # Read after the conversations: what is newer than their `updated_at` makes them due again.
    messages = _messages_of([conversation.pk for conversation in conversations])
    return [_summary(conversation, messages[conversation.pk]) for conversation in conversations]


def store(summaries: Sequence[Summary]) -> None:
    """Writes them. If one of the conversations is gone meanwhile, all stay due."""
    if not summaries:
        return
    try:
        Summary.objects.bulk_create(
            sorted(summaries, key=lambda summary: summary.pk),  # nobody waits for us crosswise
            update_conflicts=True,
            unique_fields=["conversation"],
            update_fields=[f.name for f in Summary._meta.concrete_fields if not f.primary_key],
        )
    except IntegrityError:
        return
    made_of = Summary.objects.filter(pk=OuterRef("pk")).values("as_of")
    conversations = Conversation.objects.filter(pk__in=[summary.pk for summary in summaries])
    conversations.update(summed_up=Subquery(made_of))


def lines(names: Iterable[str]) -> str:
    """Names as `Summary.endpoint_names` and `model_names` keep them."""
    listed = sorted({name for name in names if name})
    return "\n".join(["", *listed, ""]) if listed else ""


class _Row(NamedTuple):
    conversation_id: UUID
    role: str
    status: str
    request_sent_at: datetime | None
    first_token_at: datetime | None
    input_tokens: int | None
    output_tokens: int | None
    error_kind: str
    rating: int | None
    endpoint_name: str
    model: str
    has_reason: bool


def _messages_of(conversation_ids: Collection[UUID]) -> dict[UUID, list[_Row]]:
    found: defaultdict[UUID, list[_Row]] = defaultdict(list)
    messages = Message.objects.filter(conversation__in=conversation_ids)
    has_reason = models.ExpressionWrapper(~Q(rating_reason=""), models.BooleanField())
    rows = messages.annotate(has_reason=has_reason).order_by("conversation", "asked_at", "id")
    for row in map(_Row._make, rows.values_list(*_Row._fields)):
        found[row.conversation_id].append(row)
    return found


def _summary(conversation: Conversation, messages: Sequence[_Row]) -> Summary:
    replies = [message for message in messages if message.role == Role.ASSISTANT]
    return Summary(
        conversation=conversation,
        as_of=conversation.updated_at,
        owner_id=conversation.owner_id,
        title_words=words_of(conversation.title),
        is_deleted=conversation.deleted_at is not None,
        active_at=conversation.active_at,
        status=replies[-1].status if replies else "",
        endpoint_names=lines(reply.endpoint_name for reply in replies),
        model_names=lines(reply.model for reply in replies),
        messages=len(messages),
        **_counts(replies),
    )


def _counts(replies: Sequence[_Row]) -> dict[str, Any]:
    waits = [ms for ms in map(_first_token_ms, replies) if ms is not None]
    return {
        "tokens": sum((r.input_tokens or 0) + (r.output_tokens or 0) for r in replies),
        "first_token_ms": max(waits, default=None),
        "errors": sum(bool(reply.error_kind) for reply in replies),
        "likes": sum(reply.rating == 1 for reply in replies),
        "dislikes": sum(reply.rating == -1 for reply in replies),
        "reasons": sum(reply.has_reason for reply in replies),
    }


def _first_token_ms(reply: _Row) -> int | None:
    if reply.first_token_at is None or reply.request_sent_at is None:
        return None
    waited_s = (reply.first_token_at - reply.request_sent_at).total_seconds()
    return min(max(round(waited_s * 1000), 0), _MOST_MS)  # clocks jump
