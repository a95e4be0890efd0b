"""Cookies → how a person wants pages to look and times to be told, for the request at hand."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from typing import TypeVar
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.db.models import TextChoices
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Theme(TextChoices):
    SYSTEM = "system", _("System")
    LIGHT = "light", _("Light")
    DARK = "dark", _("Dark")


class TextSize(TextChoices):
    SMALL = "small", _("Small")
    MEDIUM = "medium", _("Medium")
    LARGE = "large", _("Large")


class Width(TextChoices):
    NARROW = "narrow", _("Narrow")
    NORMAL = "normal", _("Normal")
    WIDE = "wide", _("Wide")


class Letters(TextChoices):
    """Whether single letters are shortcuts, which WCAG 2.1.4 wants to be turned off at will."""

    ON = "on", _("On")
    OFF = "off", _("Off")


@dataclass(frozen=True, slots=True)
class Preferences:
    """Each is a cookie of that name. `zone` is the person's own choice and goes before `timezone`,
    which the browser tells, as `language` goes before the browser's Accept-Language, which Django
    reads; they are empty while nobody said."""

    theme: Theme = Theme.SYSTEM
    text_size: TextSize = TextSize.MEDIUM
    width: Width = Width.NORMAL
    letters: Letters = Letters.ON
    language: str = ""
    zone: str = ""
    timezone: str = ""

    @property
    def tzinfo(self) -> ZoneInfo | None:
        name = self.zone or self.timezone
        return ZoneInfo(name) if name else None


def preferences_in(cookies: Mapping[str, str]) -> Preferences:
    """What the cookies say, where it is one of the known choices."""
    return Preferences(
        _choice(cookies, "theme", Theme.SYSTEM),
        _choice(cookies, "text_size", TextSize.MEDIUM),
        _choice(cookies, "width", Width.NORMAL),
        _choice(cookies, "letters", Letters.ON),
        cookies["language"] if cookies.get("language") in dict(settings.LANGUAGES) else "",
        *(cookies[n] if cookies.get(n) in zones() else "" for n in ("zone", "timezone")),
    )


def current() -> Preferences:
    return _current.get()


@contextmanager
def applied(preferences: Preferences) -> Iterator[None]:
    """Within it these are current, and its time zone is Django's."""
    token = _current.set(preferences)
    try:
        with timezone.override(preferences.tzinfo):
            yield
    finally:
        _current.reset(token)


@cache
def zones() -> frozenset[str]:
    """The names of all time zones; reading them takes the disk."""
    return frozenset(available_timezones())


C = TypeVar("C", bound=TextChoices)

_NOTHING_SAID = Preferences()
_current: ContextVar[Preferences] = ContextVar("preferences", default=_NOTHING_SAID)


def _choice(cookies: Mapping[str, str], name: str, default: C) -> C:
    try:
        return type(default)(cookies[name])
    except (KeyError, ValueError):
        return default
