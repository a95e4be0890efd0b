"""Settings under a name: kept, listed, changed and given to the team.

Everything here is synchronous. Everyone may use a shared one; its owner changes it, and the staff.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from chatapp.errors import InvalidInput
from chatapp.forms import clean_text
from chatapp.models import Endpoint, Preset, endpoint_for
from chatapp.text import one_line

MAX_NAME_CHARS = 80


def usable(user: User, known: Sequence[Endpoint]) -> list[Preset]:
    """The person's own and the team's, by name, with their endpoints out of those that are known
    for the person."""
    presets = list(_usable(user))
    endpoints = {endpoint.pk: endpoint for endpoint in known}
    for preset in presets:
        preset.endpoint = endpoints.get(preset.endpoint_id or 0)
    return presets


def usable_one(user: User, preset_id: int) -> Preset:
    """Raises Preset.DoesNotExist for somebody else's own."""
    preset = _usable(user).get(pk=preset_id)
    preset.endpoint = endpoint_for(user, preset.endpoint_id)
    return preset


def may_change(user: User, preset: Preset) -> bool:
    return preset.owner_id == user.pk or (preset.is_shared and user.is_staff)


def changeable_one(user: User, preset_id: int) -> Preset:
    """Raises Preset.DoesNotExist for one that the person may not change."""
    preset = usable_one(user, preset_id)
    if not may_change(user, preset):
        raise Preset.DoesNotExist
    return preset


def keep(user: User, name: str, values: Mapping[str, Any], *, is_shared: bool = False) -> Preset:
    """A new preset. Raises InvalidInput for a name that cannot be, or is the person's already."""
    return _store(user, Preset(owner=user), name, values, is_shared=is_shared)


def change(
    user: User, preset_id: int, name: str, values: Mapping[str, Any], *, is_shared: bool
) -> Preset:
    """Raises InvalidInput as `keep` does, Preset.DoesNotExist as `changeable_one` does."""
    return _store(user, changeable_one(user, preset_id), name, values, is_shared=is_shared)


def delete(user: User, preset_id: int) -> None:
    changeable_one(user, preset_id).delete()


def values_of(preset: Preset) -> dict[str, Any]:
    """What applying it changes: everything but an endpoint that does not serve."""
    serves = preset.endpoint is not None and preset.endpoint.is_usable
    return {
        "endpoint_id": preset.endpoint_id if serves else None,
        "system_prompt": preset.system_prompt,
        "parameters": preset.parameters,
    }


def complaint(preset: Preset) -> str:
    """What applying it leaves out, in a sentence; empty if nothing."""
    words = {"preset": preset.name, "endpoint": preset.endpoint_name}
    if preset.endpoint is None and preset.endpoint_name:
        sentence = _("The endpoint “%(endpoint)s” of the preset “%(preset)s” no longer exists.")
    elif preset.endpoint is not None and not preset.endpoint.enabled:
        sentence = _("The endpoint “%(endpoint)s” of the preset “%(preset)s” is disabled.")
    elif preset.endpoint is not None and not preset.endpoint.is_granted:
        sentence = _("The endpoint “%(endpoint)s” of the preset “%(preset)s” is not open to you.")
    else:
        return ""
    return sentence % words + " " + _("The rest of the preset is applied.")


def _usable(user: User) -> QuerySet[Preset]:
    return Preset.objects.filter(Q(owner=user) | Q(is_shared=True)).select_related("owner")


def _store(
    user: User, preset: Preset, name: str, values: Mapping[str, Any], *, is_shared: bool
) -> Preset:
    preset.name = _checked_name(name)
    preset.is_shared = is_shared
    preset.system_prompt, preset.parameters = values["system_prompt"], values["parameters"]
    if values["endpoint_id"] != preset.endpoint_id:
        chosen = endpoint_for(user, values["endpoint_id"])
        preset.endpoint = chosen if chosen is not None and chosen.is_granted else None
    preset.endpoint_name = preset.endpoint.name if preset.endpoint else ""
    try:
        with transaction.atomic():
            preset.save()
    except IntegrityError:
        raise InvalidInput(
            _("There is a preset “%s” already. Choose another name, or change that one.")
            % preset.name
        ) from None
    return preset


def _checked_name(name: str) -> str:
    line = one_line(clean_text(name))
    if not line:
        raise InvalidInput(_("A preset needs a name of at least one character."))
    if len(line) > MAX_NAME_CHARS:
        raise InvalidInput(
            _("A name can have %(most)d characters; this one has %(has)d.")
            % {"most": MAX_NAME_CHARS, "has": len(line)}
        )
    return line
