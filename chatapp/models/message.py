"""One message of a conversation, and for a reply everything that is known of its making."""

import uuid
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chatapp.models.clock import now_after


class Role(models.TextChoices):
    USER = "user", _("User")
    ASSISTANT = "assistant", _("Assistant")


class Status(models.TextChoices):
    QUEUED = "queued", _("Queued")
    STREAMING = "streaming", _("Streaming")
    COMPLETE = "complete", _("Complete")
    STOPPED = "stopped", _("Stopped")
    INCOMPLETE = "incomplete", _("Incomplete")
    ERROR = "error", _("Error")
    INTERRUPTED = "interrupted", _("Interrupted")

    @property
    def is_live(self) -> bool:
        """Whether a generation is at work on the message."""
        return self in LIVE


LIVE = (Status.QUEUED, Status.STREAMING)
CUT_SHORT = (Status.STOPPED, Status.INCOMPLETE, Status.INTERRUPTED, Status.ERROR)
LENGTH_REASONS = ("length", "max_tokens", "model_context_window_exceeded")
FAILURE_REASONS = ("error", "abort", "insufficient_system_resource")
# What came of a reply and what is known of its making; to continue it changes these.
MAKING = (
    "status",
    "text",
    "reasoning",
    "refusal",
    "finish_reason",
    "input_tokens",
    "output_tokens",
    "error_kind",
    "error_status",
    "error_message",
    "error_retry_after_s",
    "request_id",
    "endpoint_name",
    "model",
    "system_prompt",
    "parameters",
    "attempts",
    "request_sent_at",
    "headers_at",
    "first_token_at",
    "last_token_at",
    "finished_at",
    "arrivals",
    "seams",
)


class Message(models.Model):
    """A node of the tree: a reply's parent is its prompt, a prompt's the reply before it.

    Siblings (same parent) are other versions of the same turn; the one chosen last, when it was
    asked or when a person went back to it, is on the path that is shown. `seams` are the positions
    in `text` from which it was continued after an early end, the counted tokens those of its
    earlier runs that are no news to the figures, null as long as there are none. `file_count` says
    how many attachments there are, so that most messages need not look for any. `key` is the
    sender's idempotency key. `prompt_estimate` are the tokens that a reply's prompt was taken for,
    `reserved_tokens` those that its person's limits set aside for it, null if nobody was limited.
    Times are null until they happened; `arrivals` is `Arrivals.record()` of the reply's deltas. A
    conversation makes one reply in each `lane` at a time; all are in lane 0, and others are for
    answers that are to be compared side by side. `owner` names the process that makes the reply and
    fences its writes; it is taken for dead once `lease_until`, on the database's clock, is over.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    conversation = models.ForeignKey(
        "Conversation", on_delete=models.CASCADE, related_name="messages"
    )
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.CASCADE, related_name="children"
    )
    role = models.CharField(max_length=10, choices=Role)
    lane = models.PositiveSmallIntegerField(default=0)
    key = models.UUIDField(null=True, blank=True)
    status = models.CharField(max_length=12, choices=Status, default=Status.COMPLETE)

    text = models.TextField(blank=True)
    reasoning = models.TextField(blank=True)
    refusal = models.TextField(blank=True)
    finish_reason = models.CharField(max_length=100, blank=True)
    input_tokens = models.PositiveIntegerField(null=True, blank=True)
    output_tokens = models.PositiveIntegerField(null=True, blank=True)
    counted_input_tokens = models.PositiveIntegerField(null=True, editable=False)
    counted_output_tokens = models.PositiveIntegerField(null=True, editable=False)
    prompt_estimate = models.PositiveIntegerField(default=0)
    reserved_tokens = models.PositiveIntegerField(null=True, blank=True)

    error_kind = models.CharField(max_length=16, blank=True)
    error_status = models.PositiveSmallIntegerField(null=True, blank=True)
    error_message = models.TextField(blank=True)
    error_retry_after_s = models.FloatField(null=True, blank=True)
    request_id = models.CharField(max_length=200, blank=True)

    endpoint = models.ForeignKey(
        "Endpoint", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    endpoint_name = models.CharField(max_length=80, blank=True)
    model = models.CharField(max_length=200, blank=True)
    system_prompt = models.TextField(blank=True)
    parameters = models.JSONField(default=dict, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)

    asked_at = models.DateTimeField(default=timezone.now)
    request_sent_at = models.DateTimeField(null=True, blank=True)
    headers_at = models.DateTimeField(null=True, blank=True)
    first_token_at = models.DateTimeField(null=True, blank=True)
    last_token_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    arrivals = models.JSONField(default=dict, blank=True)

    rating = models.SmallIntegerField(null=True, blank=True)
    rating_reason = models.TextField(blank=True)
    seams = models.JSONField(default=list, blank=True)
    file_count = models.PositiveSmallIntegerField(default=0)

    chosen_at = models.DateTimeField(default=timezone.now)
    owner = models.CharField(max_length=64, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    stop_requested_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["asked_at", "id"]
        permissions = [("operate", _("Can watch and cancel running replies"))]
        indexes = [
            models.Index(fields=["conversation", "asked_at"]),
            models.Index(
                fields=["finished_at"],
                condition=Q(finished_at__isnull=False),
                name="message_finished_at",
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["conversation", "key"], name="message_key_once"),
            models.UniqueConstraint(
                fields=["conversation", "lane"],
                condition=Q(status__in=LIVE),
                name="one_live_reply_per_lane",
            ),
        ]

    # The versions of this turn in order of asking, itself among them; set by `path_of`.
    versions: tuple[uuid.UUID, ...] = ()

    def __str__(self) -> str:
        return f"{self.role} {self.status}: {self.text[:40]}"

    @property
    def is_live(self) -> bool:
        return Status(self.status).is_live

    @property
    def can_continue(self) -> bool:
        """Whether the reply has text and stopped before its end."""
        is_cut = self.status in CUT_SHORT or self.finish_reason in LENGTH_REASONS + FAILURE_REASONS
        return bool(self.text) and not self.is_live and is_cut


def live_messages() -> models.QuerySet[Message]:
    """Those at work, found by the index `one_live_reply_per_lane`.

    The index is only known to fit if its condition is said in the same words; values given beside
    the query hide that on SQLite, which then reads every message there is.
    """
    words = ", ".join(f"'{status}'" for status in LIVE)
    return Message.objects.extra(where=[f"{Message._meta.db_table}.status IN ({words})"])


def chosen_now(messages: Iterable[Message]) -> datetime:
    """The time of a choice that is made now among a conversation's messages."""
    return now_after(message.chosen_at for message in messages)


def path_of(messages: list[Message]) -> list[Message]:
    """The messages that the page shows, oldest first: at each turn the version chosen last.

    `messages` are all of one conversation's, in order of asking; those on the path learn their
    versions.
    """
    children: defaultdict[uuid.UUID | None, list[Message]] = defaultdict(list)
    for message in messages:
        children[message.parent_id].append(message)
    path: list[Message] = []
    at: uuid.UUID | None = None
    while versions := children.pop(at, []):
        chosen = max(versions, key=lambda message: message.chosen_at)
        chosen.versions = tuple(message.pk for message in versions)
        path.append(chosen)
        at = chosen.pk
    return path


def chain_to(messages: list[Message], message_id: uuid.UUID) -> list[uuid.UUID]:
    """The ids from the root to `message_id`, empty if there is no such message."""
    parents = {message.pk: message.parent_id for message in messages}
    chain: list[uuid.UUID] = []
    at: uuid.UUID | None = message_id
    while at is not None and at in parents:
        chain.append(at)
        at = parents[at]
    return chain[::-1]
