"""A person → what they may ask for, by their own limits, their groups' or the service's."""

import time
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from chatapp.models import Limit

_LOOK_AGAIN_S = 5.0


@dataclass(frozen=True, slots=True)
class Allowance:
    """The most of each; None is unlimited, 0 is none."""

    prompts_a_minute: int | None
    parallel_replies: int | None
    tokens_a_day: int | None
    tokens_a_month: int | None


def allowance_of(person_id: int) -> Allowance:
    """Superusers are people like all others: a row of their own that is empty sets them free."""
    if not _are_kept():
        return default()
    with connection.cursor() as cursor:
        cursor.execute(_LIMITS, [person_id, person_id])
        rows = cursor.fetchall()
    own = [limits for is_own, *limits in rows if is_own]
    limits = own or [limits for _is_own, *limits in rows]
    return Allowance(*map(_most_generous, zip(*limits, strict=True))) if limits else default()


def are_set() -> bool:
    """Whether anybody is limited in any way; if not, nothing needs to be counted before a call."""
    defaults = (*astuple(default()), settings.LIMIT_SERVICE_TOKENS_A_MONTH)
    return any(limit is not None for limit in defaults) or _are_kept()


def default() -> Allowance:
    """What the environment says, for those whom no row says anything of."""
    return Allowance(
        settings.LIMIT_PROMPTS_A_MINUTE,
        settings.LIMIT_PARALLEL_REPLIES,
        settings.LIMIT_TOKENS_A_DAY,
        settings.LIMIT_TOKENS_A_MONTH,
    )


# Written out, as in `conversation_for`.
_LIMITS = f"""
    SELECT user_id IS NOT NULL,
        prompts_a_minute, parallel_replies, tokens_a_day, tokens_a_month
    FROM {Limit._meta.db_table}
    WHERE user_id = %s OR group_id IN (
        SELECT group_id FROM {User.groups.through._meta.db_table} WHERE user_id = %s
    )
"""

_looked_at = float("-inf")
_found = True


def _most_generous(limits: Iterable[int | None]) -> int | None:
    known = list(limits)
    return None if None in known else max(limit for limit in known if limit is not None)


def _are_kept() -> bool:
    """Whether any person or group has limits of their own: asked once in five seconds."""
    global _looked_at, _found
    if time.monotonic() - _looked_at > _LOOK_AGAIN_S:
        _found = Limit.objects.exists()
        _looked_at = time.monotonic()
    return _found


@receiver([post_save, post_delete], sender=Limit)
def _look_at_once(**_: Any) -> None:
    global _looked_at
    _looked_at = float("-inf")
