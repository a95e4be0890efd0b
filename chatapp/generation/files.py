"""The files of messages: claimed by a message that is sent, put into the turns of a prompt."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from chatapp.errors import InvalidInput
from chatapp.models import Attachment, Endpoint, Message, Queued, Role
from chatapp.models.attachment import MAX_FILES, MAX_IMAGE_BYTES
from chatapp.text import fence_around
from chatapp.upstream.contract import Image, Turn
from chatapp.upstream.options import takes_images

# In one request; older images are left out. It holds the images of any one message.
MAX_REQUEST_IMAGE_BYTES = MAX_FILES * MAX_IMAGE_BYTES


def unsent(
    user: User, ids: Sequence[UUID], endpoint: Endpoint | None, key: UUID | None = None
) -> list[Attachment]:
    """The user's files that can go with a message to `endpoint`, or the sentence why not.

    Those that wait in the queue go with the message of the same key alone.
    """
    if len(ids) > MAX_FILES:
        raise InvalidInput(
            _("A message can have %(most)d files; this one has %(has)d. Remove some, then send.")
            % {"most": MAX_FILES, "has": len(ids)}
        )
    files = list(_free(key).filter(pk__in=ids, owner=user)) if ids else []
    if len(files) != len(ids):
        raise _gone()
    image = next((file for file in files if file.is_image), None)
    if image and endpoint and not takes_images(endpoint.protocol, endpoint.options):
        raise InvalidInput(
            _("The endpoint “%(endpoint)s” takes no images. Choose another or remove “%(name)s”.")
            % {"endpoint": endpoint.name, "name": image.name}
        )
    return files


def claim(files: Sequence[Attachment], owner: Message | Queued) -> None:
    """Makes them the message's, sent or waiting, all or none, within the transaction that stores
    it."""
    if not files:
        return
    place = "queued" if isinstance(owner, Queued) else "message"
    free = _free(owner.key).filter(pk__in=[file.pk for file in files])
    if free.update(**{"queued": None, place: owner}) != len(files):
        raise _gone()


def turns_of(path: Sequence[Message], *, with_images: bool) -> tuple[Turn, ...]:
    """The messages that say anything, as turns.

    Text files stand before a message's text, and the name of an image that cannot go along.
    """
    with_files = [message.pk for message in path if message.file_count]
    files: defaultdict[UUID | None, list[Attachment]] = defaultdict(list)
    for file in Attachment.objects.filter(message__in=with_files) if with_files else ():
        files[file.message_id].append(file)
    newest_first = [file for message in reversed(path) for file in reversed(files[message.pk])]
    going = _images_that_fit(newest_first) if with_images else set()
    going |= {file.pk for file in newest_first if not file.is_image}
    rows = Attachment.objects.filter(pk__in=going).values_list("pk", "data") if going else ()
    data = {pk: bytes(held) for pk, held in rows}
    why = "newer ones fill the request" if with_images else "this endpoint takes none"
    turns = (_turn(message, files[message.pk], data, why) for message in path)
    return tuple(turn for turn in turns if turn.text or turn.images)


def fenced(name: str, text: str) -> str:
    """A text file as part of a prompt; its fence is longer than any within."""
    fence = fence_around(text)
    ending = "" if text.endswith("\n") else "\n"
    return f"File “{name}”:\n{fence}\n{text}{ending}{fence}"


def _free(key: UUID | None) -> QuerySet[Attachment]:
    """Files that may still go with the message of that key."""
    waits = list(Queued.objects.filter(key=key).values_list("pk", flat=True)) if key else []
    return Attachment.objects.filter(Q(queued=None) | Q(queued__in=waits), message=None)


def _gone() -> InvalidInput:
    return InvalidInput(
        _("A file of this message is not here any more, or was sent already. Attach it again.")
    )


def _images_that_fit(newest_first: Iterable[Attachment]) -> set[UUID]:
    """Those for which one request has room."""
    found: set[UUID] = set()
    room = MAX_REQUEST_IMAGE_BYTES
    for image in newest_first:
        if image.is_image:
            room -= image.size
            if room < 0:
                break
            found.add(image.pk)
    return found


def _turn(
    message: Message, files: Sequence[Attachment], data: Mapping[UUID, bytes], why_absent: str
) -> Turn:
    if message.role != Role.USER:
        return Turn("assistant", message.text)
    said: list[str] = []
    images: list[Image] = []
    for file in files:
        if not file.is_image:
            said.append(fenced(file.name, data[file.pk].decode("utf-8-sig")))
        elif file.pk in data:
            images.append(Image(file.media_type, data[file.pk]))
        else:
            said.append(f"[The image “{file.name}” was here and is left out: {why_absent}.]")
    text = "\n\n".join(filter(None, [*said, message.text]))
    return Turn("user", text, tuple(images))
