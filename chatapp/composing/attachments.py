"""A file that a person picked → an attachment that waits for its message, or what is wrong with it.

Everything here is synchronous.
"""

from collections.abc import Collection
from hashlib import sha256
from uuid import UUID, uuid4, uuid5

from django.contrib.auth.models import User
from django.db import transaction
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from chatapp.composing.filetypes import Damaged, clean_name, image_in, is_text
from chatapp.errors import InvalidInput
from chatapp.models import Attachment, Conversation
from chatapp.models.attachment import (
    MAX_IMAGE_BYTES,
    MAX_NAME_CHARS,
    MAX_TEXT_BYTES,
    MAX_UNSENT,
    unsent_files,
)


def store(
    user: User, name: str, data: bytes, size: int, form_key: UUID | None = None
) -> Attachment:
    """Keeps a file until its message is sent, in place of the user's oldest unsent ones.

    `size` is that of the whole file; of one that is too large not all of `data` need be there. The
    same file with the same `form_key` is kept once.
    """
    name = clean_name(name, MAX_NAME_CHARS)
    media_type, data = checked(name, data, size)
    key = uuid5(form_key, f"{user.pk} {name} {sha256(data).hexdigest()}") if form_key else uuid4()
    values = {"name": name, "media_type": media_type, "size": len(data), "data": data}
    with transaction.atomic():
        file, is_new = Attachment.objects.get_or_create(pk=key, defaults={"owner": user, **values})
        if is_new:
            _make_room(user)
    return file


def waiting(user: User, ids: Collection[UUID]) -> list[Attachment]:
    """Those of `ids` that are the user's and not sent yet, in order."""
    return list(unsent_files(user).filter(pk__in=ids))


def remove(user: User, attachment_id: UUID) -> None:
    """Takes away a file that is not sent yet."""
    gone, _models = unsent_files(user).filter(pk=attachment_id).delete()
    if not gone:
        raise Conversation.DoesNotExist


def checked(name: str, data: bytes, size: int) -> tuple[str, bytes]:
    """The media type and what is kept of the bytes; raises InvalidInput."""
    if not size:
        raise InvalidInput(_("“%(name)s” is empty.") % {"name": name})
    if size > MAX_IMAGE_BYTES:
        raise _too_large(name, size)
    try:
        image = image_in(data)
    except Damaged:
        raise InvalidInput(
            _("“%(name)s” begins like an image, but is damaged or something else as well.")
            % {"name": name}
        ) from None
    if image is not None:
        return image
    if not is_text(data):
        raise InvalidInput(
            _(
                "“%(name)s” is neither a PNG, JPEG, GIF or WebP image nor plain text in UTF-8; "
                "nothing else can be sent."
            )
            % {"name": name}
        )
    if size > MAX_TEXT_BYTES:
        raise _too_large(name, size)
    return "text/plain", data


def _too_large(name: str, size: int) -> InvalidInput:
    return InvalidInput(
        _("“%(name)s” has %(size)s. An image can have %(image)s, a text file %(text)s.")
        % {
            "name": name,
            "size": filesizeformat(size),
            "image": filesizeformat(MAX_IMAGE_BYTES),
            "text": filesizeformat(MAX_TEXT_BYTES),
        }
    )


def _make_room(user: User) -> None:
    newest_first = unsent_files(user).order_by("-created_at", "-pk")
    too_many = list(newest_first.values_list("pk", flat=True)[MAX_UNSENT:])
    Attachment.objects.filter(pk__in=too_many).delete()
