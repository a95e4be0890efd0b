"""What a page sends, over the socket or as a form → checked values, or the sentence that is due."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from chatapp.errors import InvalidInput


def clean_text(value: Any) -> str:
    """A form's text as it can be stored: no U+0000 and no half of a surrogate pair."""
    if not isinstance(value, str):
        raise InvalidInput(_("Expected a message's text; the form sent none. Reload the page."))
    text = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text.replace("\0", "\ufffd")


def parse(text: str | None) -> dict[str, Any]:
    try:
        frame = json.loads(text or "")
    except (ValueError, RecursionError):
        frame = None
    if not isinstance(frame, dict):
        raise InvalidInput(_("Expected one JSON object with the form's values. Reload the page."))
    return frame


def uuid_in(frame: Mapping[str, Any], name: str) -> UUID:
    return uuid_of(frame.get(name), name)


def uuid_of(value: Any, name: str = "id") -> UUID:
    try:
        return UUID(value)
    except (ValueError, TypeError, AttributeError):
        raise InvalidInput(_("Expected an id as “%s”. Reload the page.") % name) from None


def attachment_ids(value: Any) -> tuple[UUID, ...]:
    """The ids of files in order, each once; a form with one sends it alone, without any none."""
    values = value if isinstance(value, list) else [value] if value else []
    return tuple(dict.fromkeys(uuid_of(each, "attachment") for each in values))


def endpoint_id_in(frame: Mapping[str, Any]) -> int | None:
    value = frame.get("endpoint")
    return None if value in (None, "") else _number_of(value, "endpoint")


def preset_id_in(frame: Mapping[str, Any]) -> int:
    return _number_of(frame.get("preset"), "preset")


def moment_of(text: str) -> datetime | None:
    """An ISO 8601 time with its zone, in UTC; None for nonsense."""
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _number_of(value: Any, name: str) -> int:
    if not str(value).isdecimal() or len(str(value)) > 18:
        raise InvalidInput(_("Expected one of the list as “%s”. Reload the page.") % name)
    return int(str(value))
