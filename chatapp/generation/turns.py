"""A person's message, or a wish to retry → rows in the database and the call that they need.

Everything here is synchronous and runs on a database thread; every change is one transaction.
"""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid5

from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone

from chatapp.errors import InvalidInput
from chatapp.generation.calls import Call, prompt_for, target_for
from chatapp.generation.rows import lease
from chatapp.models import (
    Conversation,
    Endpoint,
    Message,
    Role,
    Status,
    conversation_for,
    message_for,
)
from chatapp.models.conversation import title_from
from chatapp.models.message import chain_to, path_of

A_MOMENT = timedelta(seconds=2)
GO_ON = "Go on exactly where you stopped, without repeating anything."
STILL_ANSWERING = (
    "The reply before is still being written. Wait for it or stop it, then send again."
)


@dataclass(frozen=True, slots=True)
class Sending:
    """What a person sent. `form_key` was issued with the form it was sent from."""

    conversation_id: UUID
    text: str
    form_key: UUID
    endpoint_id: int | None = None

    @property
    def key(self) -> UUID:
        """The same for a repeat, another for other text from the same form."""
        return uuid5(self.form_key, self.text)


def ask(
    user: User, sending: Sending, *, process: str, instead_of: Message | None = None
) -> Call | None:
    """Stores the message and its queued reply; None if the same key has been stored before.

    It follows what is shown, or stands beside `instead_of` as another version of it. Raises
    InvalidInput with the sentence for the person, Conversation.DoesNotExist for someone else's
    conversation.
    """
    check_text(sending.text)
    try:
        with transaction.atomic():
            return _store_turn(user, sending, process, instead_of)
    except IntegrityError:
        if _is_stored(sending.conversation_id, sending.key):
            return None
        conversation_for(user, sending.conversation_id)
        raise InvalidInput(STILL_ANSWERING) from None


def ask_first(user: User, sending: Sending, *, process: str) -> Call | None:
    """`ask` in a conversation that begins with this message; its id was issued with the form."""
    check_text(sending.text)
    target_for(_endpoint(sending.endpoint_id, None))
    if not Conversation.objects.filter(pk=sending.conversation_id).exists():
        Conversation.objects.get_or_create(pk=sending.conversation_id, defaults={"owner": user})
    return ask(user, sending, process=process)


def edit(user: User, message_id: UUID, text: str, form_key: UUID, *, process: str) -> Call | None:
    """Stores another version of one's message beside it, and its queued reply; as `ask` does."""
    message = message_for(user, message_id)
    if message.role != Role.USER:
        raise InvalidInput("Only your own messages can be edited.")
    sending = Sending(message.conversation_id, text, form_key, message.endpoint_id)
    return ask(user, sending, process=process, instead_of=message)


def retry(user: User, reply_id: UUID, endpoint_id: int | None, *, process: str) -> Call | None:
    """Stores a new queued reply beside `reply_id`, which must have ended; None for a repeat.

    The same wish within two seconds, as of a double click, is a repeat.
    """
    reply = message_for(user, reply_id)
    conversation = reply.conversation
    if reply.role != Role.ASSISTANT:
        raise InvalidInput("Only a reply can be tried again.")
    try:
        with transaction.atomic():
            versions = Message.objects.filter(parent=reply.parent_id).exclude(pk=reply_id)
            if versions.filter(asked_at__gt=timezone.now() - A_MOMENT).exists():
                return None
            endpoint = _endpoint(endpoint_id, conversation)
            target = target_for(endpoint)
            asked = _until(conversation, reply.parent_id)
            new = _queue_reply(conversation, asked[-1], endpoint, process)
            conversation.save(update_fields=["updated_at"])  # other processes look at it
            return Call(conversation.pk, new.pk, target, prompt_for(conversation, asked))
    except IntegrityError:
        raise InvalidInput(STILL_ANSWERING) from None


def resume(user: User, reply_id: UUID, *, process: str) -> Call | None:
    """Queues a reply that ended early once more, to grow from where it stopped; None for a repeat.

    The endpoint is the reply's own if it still serves.
    """
    reply = message_for(user, reply_id)
    conversation = reply.conversation
    if reply.is_live:
        return None
    if not reply.can_continue:
        raise InvalidInput("Only a reply that was cut short can be continued.")
    try:
        with transaction.atomic():
            endpoint = _endpoint(reply.endpoint_id, conversation)
            target = target_for(endpoint)
            path = [*_until(conversation, reply.parent_id), reply]
            _requeue(reply, process)
            conversation.save(update_fields=["updated_at"])
            prompt = prompt_for(conversation, path, GO_ON)
            before = {part: getattr(reply, part) for part in ("text", "reasoning", "refusal")}
            return Call(conversation.pk, reply_id, target, prompt, before)
    except IntegrityError:
        raise InvalidInput(STILL_ANSWERING) from None


def check_text(text: str) -> None:
    """Raises InvalidInput unless `text` is a message that can be sent."""
    if not text.strip():
        raise InvalidInput("Write a message first: this one is empty.")
    if len(text) > settings.MAX_PROMPT_CHARS:
        raise InvalidInput(
            f"A message can have {settings.MAX_PROMPT_CHARS:,} characters; "
            f"this one has {len(text):,}. Shorten it and send again."
        )


def _store_turn(
    user: User, sending: Sending, process: str, instead_of: Message | None
) -> Call | None:
    conversation = conversation_for(user, sending.conversation_id)
    if _is_stored(sending.conversation_id, sending.key):
        return None
    endpoint = _endpoint(sending.endpoint_id, conversation)
    target = target_for(endpoint)
    if instead_of is None:
        path = path_of(list(conversation.messages.all()))
    else:
        path = _until(conversation, instead_of.parent_id)
    if any(message.is_live for message in path):
        raise InvalidInput(STILL_ANSWERING)
    prompt = Message.objects.create(
        conversation=conversation,
        parent=path[-1] if path else None,
        role=Role.USER,
        key=sending.key,
        text=sending.text,
    )
    reply = _queue_reply(conversation, prompt, endpoint, process)
    conversation.endpoint = endpoint
    conversation.title = conversation.title or title_from(sending.text)
    conversation.active_at = timezone.now()
    conversation.save(update_fields=["endpoint", "title", "updated_at", "active_at"])
    return Call(conversation.pk, reply.pk, target, prompt_for(conversation, [*path, prompt]))


def _queue_reply(
    conversation: Conversation,
    prompt: Message,
    endpoint: Endpoint | None,
    process: str,
) -> Message:
    return Message.objects.create(
        conversation=conversation,
        parent=prompt,
        role=Role.ASSISTANT,
        status=Status.QUEUED,
        endpoint=endpoint,
        endpoint_name=endpoint.name if endpoint else "",
        model=endpoint.model if endpoint else "",
        system_prompt=conversation.system_prompt,
        parameters=conversation.parameters,
        owner=process,
        lease_until=lease(),
    )


def _requeue(reply: Message, process: str) -> None:
    """The row of a reply that is about to be continued."""
    reply.seams = [*reply.seams, len(reply.text)]
    Message.objects.filter(pk=reply.pk).update(
        status=Status.QUEUED,
        seams=reply.seams,
        finish_reason="",
        error_kind="",
        error_status=None,
        error_message="",
        error_retry_after_s=None,
        finished_at=None,
        stop_requested_at=None,
        chosen_at=timezone.now(),
        owner=process,
        lease_until=lease(),
    )


def _until(conversation: Conversation, message_id: UUID | None) -> list[Message]:
    """The messages from the first to `message_id`; none before the first."""
    if message_id is None:
        return []
    messages = {message.pk: message for message in conversation.messages.all()}
    return [messages[i] for i in chain_to(list(messages.values()), message_id)]


def _is_stored(conversation_id: UUID, key: UUID) -> bool:
    return Message.objects.filter(conversation_id=conversation_id, key=key).exists()


def _endpoint(endpoint_id: int | None, conversation: Conversation | None) -> Endpoint | None:
    """The endpoint that was picked, else the conversation's, else the first."""
    if endpoint_id is not None:
        return Endpoint.objects.filter(pk=endpoint_id).first()
    if conversation is not None and (conversation.endpoint or conversation.messages.exists()):
        return conversation.endpoint
    return Endpoint.objects.filter(enabled=True).first()
