"""A limit that was met → what a person reads of it: which one, what is left, when it is over."""

from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import ngettext_lazy as _many

from chatapp.errors import InvalidInput
from chatapp.locales import counted


class Kind(StrEnum):
    """What is limited."""

    PROMPTS = "prompts"
    PARALLEL = "parallel"
    DAY = "day"
    MONTH = "month"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Of `most` so many are `left`, and `wanted` was more; `until` are seconds since 1970, None
    for what no time frees."""

    kind: Kind
    most: int
    left: int
    wanted: int
    until: int | None = None

    @property
    def is_brief(self) -> bool:
        """Whether waiting for it is a matter of a minute or a reply."""
        return self.kind in (Kind.PROMPTS, Kind.PARALLEL) and self.most > 0

    @property
    def sentence(self) -> str:
        """In the language and the time zone of whoever reads it."""
        sentences = _SENTENCES
        if self.most < self.wanted:
            sentences = _TOO_MUCH if self.most else _NOTHING
        return str(sentences[self.kind] % self._words())

    def _words(self) -> dict[str, Any]:
        return {
            "count": self.most,
            "most": counted(self.most),
            "left": counted(self.left) if self.left else _("none"),
            "wanted": counted(self.wanted),
            "until": moment_in_words(self.until) if self.until else "",
        }


class LimitReached(InvalidInput):
    """Nothing was asked, because a limit does not allow it now; told to whoever reads it."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal)
        self.refusal = refusal

    def __str__(self) -> str:
        return self.refusal.sentence


def stored(refusal: Refusal) -> dict[str, Any]:
    """As JSON, of which `restored` makes the same again."""
    return asdict(refusal)


def restored(kept: dict[str, Any] | None) -> Refusal | None:
    return Refusal(**{**kept, "kind": Kind(kept["kind"])}) if kept else None


def next_day(day: date) -> int:
    """When the day after begins, in seconds since 1970. Days and months are those of UTC."""
    return _begin_of(day + timedelta(days=1))


def next_month(month: date) -> int:
    return _begin_of((month.replace(day=1) + timedelta(days=32)).replace(day=1))


def moment_in_words(seconds: int) -> str:
    """In the reader's time zone, which is named if nothing better than UTC is known of it."""
    moment = timezone.localtime(datetime.fromtimestamp(seconds, UTC))
    is_today = moment.date() == timezone.localdate()
    is_whole = moment.second == 0
    time = "H:i" if is_whole else "H:i:s"
    day = _("j F")
    words = date_format(moment, time if is_today else f"{day}, {time}")
    return words if moment.utcoffset() else f"{words} UTC"


def _begin_of(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


_SENTENCES: dict[Kind, Any] = {
    Kind.PROMPTS: _many(
        "You can send %(most)s prompt a minute, and %(left)s is left until %(until)s.",
        "You can send %(most)s prompts a minute, and %(left)s are left until %(until)s.",
        "count",
    ),
    Kind.PARALLEL: _many(
        "%(most)s reply of yours is being written, which is the most at a time; send this again "
        "when it has ended.",
        "%(most)s replies of yours are being written, which is the most at a time; send this again "
        "when one has ended.",
        "count",
    ),
    Kind.DAY: _lazy(
        "This may take %(wanted)s tokens, and of your %(most)s a day %(left)s are left until "
        "%(until)s."
    ),
    Kind.MONTH: _lazy(
        "This may take %(wanted)s tokens, and of your %(most)s a month %(left)s are left until "
        "%(until)s."
    ),
    Kind.SERVICE: _lazy(
        "This may take %(wanted)s tokens, and of the %(most)s that everybody here has together in "
        "a month %(left)s are left until %(until)s."
    ),
}
_TOO_MUCH: dict[Kind, Any] = {
    Kind.DAY: _lazy(
        "This may take %(wanted)s tokens, which is more than your %(most)s a day: shorten it, or "
        "set fewer max tokens."
    ),
    Kind.MONTH: _lazy(
        "This may take %(wanted)s tokens, which is more than your %(most)s a month: shorten it, or "
        "set fewer max tokens."
    ),
    Kind.SERVICE: _lazy(
        "This may take %(wanted)s tokens, which is more than the %(most)s that everybody here has "
        "together in a month: shorten it, or set fewer max tokens."
    ),
}
_NOTHING: dict[Kind, Any] = {
    Kind.PROMPTS: _lazy("You can read here and send nothing: your prompts a minute are %(most)s."),
    Kind.PARALLEL: _lazy(
        "You can read here and send nothing: your replies at a time are %(most)s."
    ),
    Kind.DAY: _lazy("You can read here and send nothing: your tokens a day are %(most)s."),
    Kind.MONTH: _lazy("You can read here and send nothing: your tokens a month are %(most)s."),
    Kind.SERVICE: _lazy(
        "You can read here and send nothing: the tokens that everybody here has together in a "
        "month are %(most)s."
    ),
}
