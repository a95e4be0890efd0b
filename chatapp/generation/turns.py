"""A person's message, or a wish to retry → rows in the database and the call that they need.

Everything here is synchronous and runs on a database thread; every change is one transaction.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from chatapp.errors import InvalidInput
from chatapp.events import Usage
from chatapp.generation.calls import (
    Call,
    parameters_for,
    prompt_for,
    reservation_for,
    target_for,
)
from chatapp.generation.files import claim, unsent
from chatapp.generation.rows import lease
from chatapp.limits.counters import Reservation, reserve
from chatapp.locales import counted
from chatapp.models import (
    Attachment,
    Conversation,
    Endpoint,
    FigureClock,
    Message,
    Role,
    Status,
    conversation_for,
    endpoint_for,
    message_for,
    usable_endpoints,
)
from chatapp.models.attachment import copy_files
from chatapp.models.conversation import title_from
from chatapp.models.message import chain_to, chosen_now, path_of
from chatapp.models.tree import texts_of
from chatapp.upstream.contract import Target

A_MOMENT = timedelta(seconds=2)
GO_ON = "Go on exactly where you stopped, without repeating anything."


class StillAnswering(InvalidInput):
    """The reply before has not ended."""

    def __init__(self) -> None:
        super().__init__(
            _("The reply before is still being written. Wait for it or stop it, then send again.")
        )


@dataclass(frozen=True, slots=True)
class Sending:
    """What a person sent. `form_key` was issued with the form it was sent from.

    `attachments` are the ids of files that were uploaded before, `settings` fields of a
    conversation that begins with this.
    """

    conversation_id: UUID
    text: str
    form_key: UUID
    endpoint_id: int | None = None
    attachments: tuple[UUID, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> UUID:
        """The same for a repeat, another for other text or files from the same form."""
        return uuid5(self.form_key, "\0".join([self.text, *map(str, self.attachments)]))


def ask(
    user: User, sending: Sending, *, process: str, instead_of: Message | None = None
) -> Call | None:
    """Stores the message and its queued reply; None if the same key has been stored before.

    It follows what is shown, or stands beside `instead_of` as another version of it. Raises
    InvalidInput with the sentence for the person, Conversation.DoesNotExist for someone else's
    conversation.
    """
    has_files = bool(sending.attachments or (instead_of and instead_of.file_count))
    check_text(sending.text, has_files=has_files)
    try:
        with transaction.atomic():
            return _store_turn(user, sending, process, instead_of)
    except IntegrityError:
        if _is_stored(sending.conversation_id, sending.key):
            return None
        conversation_for(user, sending.conversation_id)
        raise StillAnswering from None


def ask_first(user: User, sending: Sending, *, process: str) -> Call | None:
    """`ask` in a conversation that begins with this message; its id was issued with the form."""
    check_text(sending.text, has_files=bool(sending.attachments))
    endpoint = _endpoint(user, sending.endpoint_id, None)
    target_for(endpoint)
    with transaction.atomic():
        if not Conversation.objects.filter(pk=sending.conversation_id).exists():
            unsent(user, sending.attachments, endpoint)
            first = {"owner": user, **sending.settings}
            Conversation.objects.get_or_create(pk=sending.conversation_id, defaults=first)
        return ask(user, sending, process=process)


def edit(user: User, message_id: UUID, text: str, form_key: UUID, *, process: str) -> Call | None:
    """Stores another version of one's message beside it, with the same files, and its queued reply;
    as `ask` does."""
    message = message_for(user, message_id)
    if message.role != Role.USER:
        raise InvalidInput(_("Only your own messages can be edited."))
    sending = Sending(message.conversation_id, text, form_key, message.endpoint_id)
    return ask(user, sending, process=process, instead_of=message)


def retry(user: User, reply_id: UUID, endpoint_id: int | None, *, process: str) -> Call | None:
    """Stores a new queued reply beside `reply_id`, which must have ended; None for a repeat.

    The endpoint is for this reply alone. The same wish within two seconds, as of a double click,
    is a repeat.
    """
    reply = message_for(user, reply_id)
    conversation = reply.conversation
    if reply.role != Role.ASSISTANT or reply.parent_id is None:  # as an import may begin
        raise InvalidInput(_("Only a reply can be tried again."))
    try:
        with transaction.atomic():
            endpoint = _endpoint(user, endpoint_id, conversation)
            target = target_for(endpoint)
            versions = Message.objects.filter(parent=reply.parent_id).exclude(pk=reply_id)
            same = versions.filter(endpoint=endpoint)
            now = timezone.now()  # a clock may have been ahead
            if same.filter(asked_at__range=(now - A_MOMENT, now + A_MOMENT)).exists():
                return None
            messages = texts_of(conversation.messages.all())
            asked = _until(messages, reply.parent_id)
            prompt = prompt_for(conversation, asked, target)
            wanted = reservation_for(user.pk, prompt, target)
            made_with = _made_with(conversation, endpoint, target, wanted, chosen_now(messages))
            new = _queue_reply(conversation, asked[-1], made_with, process)
            conversation.save(update_fields=["updated_at"])  # other processes look at it
            reserve(wanted)
            return Call(conversation.pk, new.pk, target, prompt, wanted)
    except IntegrityError:
        raise StillAnswering from None


def regenerate(user: User, reply_id: UUID, picked_id: int | None, *, process: str) -> Call | None:
    """`retry` with the reply's own endpoint while it serves, else with the picked one."""
    own = endpoint_for(user, message_for(user, reply_id).endpoint_id)
    endpoint_id = own.pk if own is not None and own.is_usable else picked_id
    return retry(user, reply_id, endpoint_id, process=process)


def resume(user: User, reply_id: UUID, *, process: str) -> Call | None:
    """Queues a reply that ended early once more, to grow from where it stopped; None for a repeat.

    The endpoint is the reply's own if it still serves.
    """
    reply = message_for(user, reply_id)
    conversation = reply.conversation
    if reply.is_live:
        return None
    if not reply.can_continue:
        raise InvalidInput(_("Only a reply that was cut short can be continued."))
    try:
        with transaction.atomic():
            own = endpoint_for(user, reply.endpoint_id)
            endpoint = own if own is not None and own.is_usable else conversation.endpoint
            target = target_for(endpoint)
            messages = texts_of(conversation.messages.all())
            path = [*_until(messages, reply.parent_id), reply]
            prompt = prompt_for(conversation, path, target, GO_ON)
            wanted = reservation_for(user.pk, prompt, target)
            made_with = _made_with(conversation, endpoint, target, wanted, chosen_now(messages))
            if not _requeue(reply, made_with, process):
                return None
            conversation.save(update_fields=["updated_at"])
            before = {part: getattr(reply, part) for part in ("text", "reasoning", "refusal")}
            spent = Usage(reply.input_tokens, reply.output_tokens)
            reserve(wanted)
            return Call(
                conversation.pk, reply_id, target, prompt, wanted, before, spent, len(reply.seams)
            )
    except IntegrityError:
        raise StillAnswering from None


def check_text(text: str, *, has_files: bool = False) -> None:
    """Raises InvalidInput unless `text` is a message that can be sent; files may go without one."""
    if not text.strip() and not has_files:
        raise InvalidInput(_("Write a message first: this one is empty."))
    if len(text) > settings.MAX_PROMPT_CHARS:
        raise InvalidInput(
            _(
                "A message can have %(most)s characters; this one has %(has)s. "
                "Shorten it and send again."
            )
            % {"most": counted(settings.MAX_PROMPT_CHARS), "has": counted(len(text))}
        )


def _store_turn(
    user: User, sending: Sending, process: str, instead_of: Message | None
) -> Call | None:
    conversation = conversation_for(user, sending.conversation_id)
    messages = texts_of(conversation.messages.all())
    if any(message.key == sending.key for message in messages):
        return None
    endpoint = _endpoint(user, sending.endpoint_id, conversation)
    target = target_for(endpoint)
    path = path_of(messages) if instead_of is None else _until(messages, instead_of.parent_id)
    if any(message.is_live for message in path):
        raise StillAnswering
    files = unsent(user, sending.attachments, endpoint, sending.key)
    chosen_at = chosen_now(messages)
    prompt = Message.objects.create(
        conversation=conversation,
        parent=path[-1] if path else None,
        role=Role.USER,
        key=sending.key,
        text=sending.text,
        file_count=len(files),
        chosen_at=chosen_at,
    )
    claim(files, prompt)
    if instead_of is not None:
        copy_files(instead_of, prompt)
    asked = prompt_for(conversation, [*path, prompt], target)
    wanted = reservation_for(user.pk, asked, target)
    made_with = _made_with(conversation, endpoint, target, wanted, chosen_at)
    reply = _queue_reply(conversation, prompt, made_with, process)
    conversation.endpoint = endpoint
    conversation.active_at = timezone.now()
    changed = ["endpoint", "updated_at", "active_at"]
    if not conversation.title:  # one that was just given is not to be undone
        conversation.title = _title(sending, files)
        changed.append("title")
    conversation.save(update_fields=changed)
    reserve(wanted)
    return Call(conversation.pk, reply.pk, target, asked, wanted)


def _title(sending: Sending, files: list[Attachment]) -> str:
    return title_from(sending.text if sending.text.strip() or not files else files[0].name)


def _queue_reply(
    conversation: Conversation, prompt: Message, made_with: Mapping[str, Any], process: str
) -> Message:
    return Message.objects.create(
        conversation=conversation,
        parent=prompt,
        role=Role.ASSISTANT,
        status=Status.QUEUED,
        owner=process,
        lease_until=lease(),
        **made_with,
    )


def _made_with(
    conversation: Conversation,
    endpoint: Endpoint | None,
    target: Target,
    wanted: Reservation,
    chosen_at: datetime,
) -> dict[str, Any]:
    """What a reply's row says of its making."""
    return {
        "chosen_at": chosen_at,
        "endpoint": endpoint,
        "endpoint_name": endpoint.name if endpoint else "",
        "model": endpoint.model if endpoint else "",
        "system_prompt": conversation.system_prompt,
        "parameters": parameters_for(conversation, target),
        "prompt_estimate": wanted.prompt,
        "reserved_tokens": wanted.tokens,
    }


def _requeue(reply: Message, made_with: Mapping[str, Any], process: str) -> bool:
    """The row of a reply that is about to be continued; False if somebody else was quicker."""
    reply.seams = [*reply.seams, len(reply.text)]
    as_read = Message.objects.filter(
        pk=reply.pk, status=reply.status, finished_at=reply.finished_at
    )
    if _is_counted(reply):
        made_with = {
            **made_with,
            "counted_input_tokens": reply.input_tokens,
            "counted_output_tokens": reply.output_tokens,
        }
    changed = as_read.update(
        status=Status.QUEUED,
        seams=reply.seams,
        finish_reason="",
        error_kind="",
        error_status=None,
        error_message="",
        error_retry_after_s=None,
        finished_at=None,
        stop_requested_at=None,
        owner=process,
        lease_until=lease(),
        **made_with,
    )
    return bool(changed)


def _is_counted(reply: Message) -> bool:
    """Whether stored figures hold its tokens, or none ever will: copies were made elsewhere."""
    if not reply.owner or reply.finished_at is None:
        return True
    return FigureClock.objects.filter(until__gt=reply.finished_at).exists()


def _until(messages: list[Message], message_id: UUID | None) -> list[Message]:
    """Those from the first to `message_id`; none before the first."""
    if message_id is None:
        return []
    by_id = {message.pk: message for message in messages}
    return [by_id[i] for i in chain_to(messages, message_id)]


def _is_stored(conversation_id: UUID, key: UUID) -> bool:
    return Message.objects.filter(conversation_id=conversation_id, key=key).exists()


def _endpoint(
    user: User, endpoint_id: int | None, conversation: Conversation | None
) -> Endpoint | None:
    """The endpoint that was picked, else the conversation's, else the person's first."""
    if conversation is not None and endpoint_id in (None, conversation.endpoint_id):
        if conversation.endpoint or conversation.messages.exists():
            return conversation.endpoint
    elif endpoint_id is not None:
        return endpoint_for(user, endpoint_id)
    return next(iter(usable_endpoints(user)), None)
