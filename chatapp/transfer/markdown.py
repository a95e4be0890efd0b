"""A conversation → Markdown for reading: what is shown of it, as it was written."""

import re
from collections.abc import Iterator

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from chatapp.errors import Kind
from chatapp.models import Attachment, Conversation, Message, Role, Status
from chatapp.models.message import LENGTH_REASONS
from chatapp.text import fence_around
from chatapp.transfer.files import base64_of, data_of, place_of
from chatapp.transfer.slices import Talk

_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})(.*)$", re.MULTILINE)


def pieces(talk: Talk, person: str = "", *, is_in_zip: bool = False) -> Iterator[str]:
    """The document, a message at a time; pictures that don't stand beside it come at its end.

    For others than its person, who is named then.
    """
    conversation = talk.conversation
    images: list[Attachment] = []
    yield f"# {_line(str(conversation))}\n\n*{_date(conversation)}*\n"
    for message in talk.path():
        yield f"\n## {_line(_author(message, person))}\n"
        for file in message.attachments.all():
            yield f"\n{_attached(file, images, is_in_zip=is_in_zip)}\n"
        for part in _parts(message):
            yield f"\n{part}\n"
    for number, image in enumerate(images, 1):
        yield f"\n[file-{number}]: data:{image.media_type};base64,"
        yield from base64_of(data_of(image) or b"")
        yield "\n"


def _attached(file: Attachment, images: list[Attachment], *, is_in_zip: bool) -> str:
    """A file where it stands; of a picture the name by which the end of the document knows it."""
    name = re.sub(r"[\\\[\]]", r"\\\g<0>", _line(file.name))
    said = "*" + _("Attached") + ":*"
    if is_in_zip:
        return f"{said} {'!' if file.is_image else ''}[{name}](<{place_of(file)}>)"
    if file.is_image:
        images.append(file)
        return f"{said} ![{name}][file-{len(images)}]"
    text = (data_of(file) or b"").decode("utf-8-sig")
    return f"{said} {name}\n\n{fenced(text.removesuffix(chr(10)))}"


def _parts(message: Message) -> Iterator[str]:
    if message.reasoning:
        head = "<details>\n<summary>" + _("Reasoning") + "</summary>"
        yield f"{head}\n\n{closed(message.reasoning)}\n\n</details>"
    if message.text:
        yield closed(message.text)
    if message.refusal:
        yield quoted("**" + _("Refused") + f":** {message.refusal}")
    if note := _ending(message):
        yield quoted(note)


def closed(text: str) -> str:
    """The text as it was written; a fence that it left open, as when it was cut short, is closed
    behind it, so that the rest of the document stays outside."""
    mark = ""
    for found, info in _FENCE.findall(text):
        if not mark:
            mark = "" if "`" in found and "`" in info else found
        elif found[0] == mark[0] and len(found) >= len(mark) and not info.strip():
            mark = ""
    text = text.rstrip("\n")
    return f"{text}\n{mark}" if mark else text


def fenced(code: str, language: str = "") -> str:
    """The code in a fence that is longer than any within it."""
    mark = fence_around(code)
    return f"{mark}{language}\n{code}\n{mark}"


def quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.splitlines())


def _author(message: Message, person: str) -> str:
    if message.role == Role.USER:
        return person or _("You")
    names = [name for name in (message.endpoint_name, message.model) if name]
    return " · ".join(names) or _("Assistant")


def _ending(message: Message) -> str:
    if message.error_kind:
        headline = _(Kind(message.error_kind).headline)
        status = f" (HTTP {message.error_status})" if message.error_status else ""
        said = f"\n{message.error_message}" if message.error_message else ""
        return f"**{headline}**{status}{said}"
    if message.is_live:
        return _("This reply was still being written.")
    if message.finish_reason in LENGTH_REASONS:
        return _("The reply reached the length limit.")
    words = {
        Status.STOPPED: _("Stopped."),
        Status.INCOMPLETE: _("The reply is incomplete."),
        Status.INTERRUPTED: _("The reply was interrupted."),
    }
    return words.get(Status(message.status), "")


def _date(conversation: Conversation) -> str:
    return date_format(timezone.localtime(conversation.created_at), _("j F Y, H:i e"))


def _line(text: str) -> str:
    return " ".join(text.split())
