"""What files may be, for pages that say so before any is sent."""

from django import template

from chatapp.models.attachment import MAX_FILES, MAX_IMAGE_BYTES, MAX_TEXT_BYTES

register = template.Library()


@register.simple_tag
def file_limits() -> dict[str, int]:
    """The limits: `files` of a message, bytes of an `image` and of a `text`."""
    return {"files": MAX_FILES, "image": MAX_IMAGE_BYTES, "text": MAX_TEXT_BYTES}
