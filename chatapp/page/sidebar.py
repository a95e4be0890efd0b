"""A person's list of conversations → the fragments that bring a page's sidebar in line with it."""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from django.contrib.auth.models import User
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import escape

from chatapp.library import catalog
from chatapp.library.catalog import Group
from chatapp.models import Conversation
from chatapp.rendering.fragments import Fragment

# Between reading the clock and committing what it is written into; and between processes' clocks.
_MARGIN = timedelta(seconds=5)
_OLDEST_PAGE = timedelta(days=30)
_MOST_OLDER = 100


class Sidebar:
    """What one page shows of its person's list.

    `listing`, which ends at the place `until`, is kept whole; below it are pages that were
    fetched later, of which single conversations are replaced or taken away. `since` is when the
    page was made. Raises InvalidInput if there is no such place.
    """

    def __init__(self, current: UUID | None, until: str, since: datetime) -> None:
        self._current = current
        self._until = catalog.place_in(until) if until else None
        self._since = max(since, timezone.now() - _OLDEST_PAGE) - _MARGIN
        self._shown: dict[str, int] = {}

    def changes(self, user: User) -> list[Fragment]:
        """What the page lacks; nothing if it looks as it should."""
        now = timezone.now()
        groups = catalog.top(user, self._until)
        listed = {c.pk: c for group in groups for c in group.conversations}
        is_elsewhere = self._current is not None and self._current not in listed
        needs_changes = self._until is not None or is_elsewhere
        changed = catalog.changed_since(user, self._since) if needs_changes else []
        fragments = [self._listing(groups), *self._heading([*listed.values(), *changed])]
        if self._until:
            fragments += self._older(changed, listed.keys())
        self._since = now - _MARGIN
        return [fragment for fragment in fragments if self._is_new(fragment)]

    def _listing(self, groups: list[Group]) -> Fragment:
        context = {"groups": groups, "current": self._current}
        return Fragment("listing", "innerMorph", render_to_string("_groups.html", context))

    def _heading(self, conversations: list[Conversation]) -> list[Fragment]:
        """The name of the conversation that the page is about."""
        current = (c for c in conversations if c.pk == self._current and c.deleted_at is None)
        return [Fragment("heading", "innerHTML", escape(str(c))) for c in current][:1]

    def _older(self, changed: list[Conversation], listed: Collection[UUID]) -> list[Fragment]:
        """What was fetched later is not looked through again: each change is told by itself."""
        fragments = []
        for conversation in changed[:_MOST_OLDER]:
            target = f"older-{conversation.pk}"
            if conversation.pk in listed or not _is_listed(conversation):
                fragments.append(Fragment(target, "delete"))
            else:
                context = {"conversation": conversation, "current": self._current, "older": True}
                html = render_to_string("_entry.html", context)
                fragments.append(Fragment(target, "outerHTML", html))
        return fragments

    def _is_new(self, fragment: Fragment) -> bool:
        """A hash of what was sent is enough: hundreds of idle pages would hold their lists."""
        was, self._shown[fragment.target] = self._shown.get(fragment.target), hash(fragment)
        return was != hash(fragment)


def _is_listed(conversation: Conversation) -> bool:
    away = (conversation.deleted_at, conversation.archived_at, conversation.pinned_at)
    return away == (None, None, None)
