"""A person's conversations as a list: pinned first, then by day; searched; renamed, put away.

Everything here is synchronous.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from chatapp.errors import InvalidInput
from chatapp.forms import clean_text, moment_of
from chatapp.models import Conversation, Message
from chatapp.models.conversation import TITLE_CHARS
from chatapp.models.message import LIVE
from chatapp.text import one_line

PAGE = 40
# The top of the list, as it grows while a page is open.
MOST_AT_THE_TOP = 200
# Answered since its person last saw it.
NEWS = Q(answered_at__isnull=False) & (Q(seen_at=None) | Q(seen_at__lt=F("answered_at")))
UNDO = timedelta(minutes=10)
_IS_LIVE = "status IN ({})".format(", ".join(f"'{status}'" for status in LIVE))
_NEWEST_FIRST = ("-active_at", "-pk")

# The last conversation of a page of the list.
Place = tuple[datetime, UUID]


@dataclass(frozen=True, slots=True)
class Group:
    """Conversations under one heading, newest first."""

    heading: str
    conversations: list[Conversation]


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of the list; `more` is where the next one begins, empty at the end."""

    groups: list[Group]
    more: str = ""


def listing(user: User, after: str = "", *, archived: bool = False) -> Listing:
    """The conversations from `after` on, a `Listing.more` of the page before."""
    shelf = _kept(user).filter(archived_at__isnull=not archived)
    pinned = [] if after or archived else _pinned(shelf)
    if not archived:
        shelf = shelf.filter(pinned_at=None)
    if after:
        shelf = shelf.filter(_behind(place_in(after)))
    found = list(shelf.order_by(*_NEWEST_FIRST)[: PAGE + 1])
    shown = found[:PAGE]
    more = f"{shown[-1].active_at.isoformat()}~{shown[-1].pk}" if len(found) > PAGE else ""
    groups = [Group(_("Pinned"), pinned)] if pinned else []
    return Listing(groups + _by_day(shown), more)


def top(user: User, until: Place | None) -> list[Group]:
    """The list from its top to the place that was its first page's end, or to its own."""
    shelf = _kept(user).filter(archived_at=None).order_by(*_NEWEST_FIRST)
    if until:
        shelf = shelf.filter(Q(pinned_at__isnull=False) | ~_behind(until))
    found = list(shelf[:MOST_AT_THE_TOP])
    pinned = sorted((c for c in found if c.pinned_at), key=lambda c: c.title)
    recent = (c for c in found if not c.pinned_at)
    return ([Group(_("Pinned"), pinned)] if pinned else []) + _by_day(recent)


def changed_since(user: User, moment: datetime) -> list[Conversation]:
    """Whatever changed, the last change first: deleted and archived conversations too."""
    changed = _annotated(Conversation.objects.filter(owner=user, updated_at__gt=moment))
    return list(changed.order_by("-updated_at")[:MOST_AT_THE_TOP])


def place_in(text: str) -> Place:
    """A `Listing.more` as it came back. Raises InvalidInput if it is none."""
    moment, _tilde, last = text.partition("~")
    at = moment_of(moment)
    try:
        if at is not None:
            return at, UUID(last)
    except ValueError:
        pass
    raise InvalidInput(_("Expected a place in the list. Reload the page."))


def rename(user: User, conversation_id: UUID, title: str) -> None:
    """Gives it the person's own title, which nothing overwrites."""
    line = one_line(clean_text(title))
    if not line:
        raise InvalidInput(_("A title needs at least one character."))
    if len(line) > TITLE_CHARS:
        raise InvalidInput(
            _("A title can have %(most)d characters; this one has %(has)d.")
            % {"most": TITLE_CHARS, "has": len(line)}
        )
    if not _change(user, [conversation_id], title=line, is_title_own=True):
        raise Conversation.DoesNotExist


def pin(user: User, conversation_ids: Collection[UUID], *, on: bool) -> int:
    return _change(user, conversation_ids, pinned_at=timezone.now() if on else None)


def archive(user: User, conversation_ids: Collection[UUID], *, on: bool) -> int:
    return _change(user, conversation_ids, archived_at=timezone.now() if on else None)


def delete(user: User, conversation_ids: Collection[UUID]) -> int:
    """Takes them away, for good unless `restore` brings them back in time."""
    return _change(user, conversation_ids, deleted_at=timezone.now())


def restore(user: User, conversation_ids: Collection[UUID]) -> int:
    """Brings back what was deleted a short while ago."""
    mine = Conversation.objects.filter(owner=user, deleted_at__gt=timezone.now() - UNDO)
    return mine.filter(pk__in=conversation_ids).update(deleted_at=None, updated_at=timezone.now())


def mark_seen(user: User, conversation_id: UUID) -> bool:
    """The person has its last answer before them; whether that was news."""
    mine = Conversation.objects.filter(NEWS, owner=user, pk=conversation_id)
    return bool(mine.update(seen_at=timezone.now(), updated_at=timezone.now()))


def _kept(user: User) -> QuerySet[Conversation]:
    return _annotated(Conversation.objects.filter(owner=user, deleted_at=None))


def _annotated(conversations: QuerySet[Conversation]) -> QuerySet[Conversation]:
    """Each with `is_running` and `is_news`, and without what a list does not show."""
    # Spelt out, because with parameters SQLite would not use the index of live replies.
    live = Message.objects.filter(conversation=OuterRef("pk")).extra(where=[_IS_LIVE])
    marked = conversations.annotate(is_running=Exists(live), is_news=NEWS)
    return marked.defer("system_prompt", "parameters")


def _pinned(shelf: QuerySet[Conversation]) -> list[Conversation]:
    return list(shelf.exclude(pinned_at=None).order_by("title"))


def _behind(place: Place) -> Q:
    at, last_id = place
    return Q(active_at__lt=at) | Q(active_at=at, pk__lt=last_id)


def _by_day(conversations: Iterable[Conversation]) -> list[Group]:
    today = timezone.localdate()

    def heading(conversation: Conversation) -> str:
        return _heading(timezone.localdate(conversation.active_at), today)

    return [Group(title, list(group)) for title, group in groupby(conversations, key=heading)]


def _heading(day: date, today: date) -> str:
    age = (today - day).days
    if age <= 0:
        return _("Today")
    if age == 1:
        return _("Yesterday")
    if age < 7:
        return _("Previous 7 days")
    return date_format(day, _("F Y"))


def _change(user: User, conversation_ids: Collection[UUID], **fields: Any) -> int:
    """Changes those that are there; returns how many, or raises if one is not the person's."""
    mine = Conversation.objects.filter(owner=user, pk__in=conversation_ids)
    if mine.count() != len(set(conversation_ids)):
        raise Conversation.DoesNotExist
    return mine.filter(deleted_at=None).update(updated_at=timezone.now(), **fields)
