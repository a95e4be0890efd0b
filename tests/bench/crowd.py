"""An empty database and a number → so many messages of a thousand people, as a team writes them.

A few people write most, most conversations are short, replies are several times as long as prompts.
Rows go past the ORM: a million of them take a few minutes, most of it for the index of words.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count as counting
from json import dumps
from random import Random
from typing import Any
from uuid import UUID

from django.contrib.auth.models import Group, User
from django.db import connection, models, transaction
from psycopg.types.json import Jsonb

from chatapp.models import Conversation, Endpoint, Message, Role, SearchEntry, Status
from chatapp.models.search import words_of

PEOPLE, GROUPS = 1000, 12
LONGEST = 1000
# Words of one in so many messages, to be searched for.
RARE = {
    "xylophone": 20_000,
    "lighthouse": 1000,
    "hovercraft": 100,
    "eel": 30,
    "tea": 10,
    "model": 2,
}

_AT_ONCE = 500
_SPAN = timedelta(days=730)
_ENDPOINTS = {
    "Kimi K2": "moonshotai/Kimi-K2-Instruct",
    "Llama 70B": "meta-llama/Llama-3.3-70B-Instruct",
    "Claude": "claude-sonnet",
    "Qwen Coder": "Qwen/Qwen3-Coder",
    "Small and quick": "qwen3-4b",
    "House model": "",
}
_STATUSES = {
    Status.COMPLETE.value: 92,
    Status.ERROR.value: 3,
    Status.STOPPED.value: 2,
    Status.INCOMPLETE.value: 2,
    Status.INTERRUPTED.value: 1,
}
_RATINGS = {(None, ""): 94, (1, ""): 3, (-1, ""): 2, (-1, "It made this up."): 1}
_SYLLABLES = ("ba", "co", "di", "fu", "ga", "he", "lo", "mi", "nu", "pa", "qua", "re", "si", "to")

Values = dict[str, Any]


def fill(count: int) -> None:
    """Writes about `count` messages; the first conversation has `LONGEST` if that is no more."""
    Crowd(Random(1)).write(count)


class Crowd:
    """People, endpoints and sentences to make conversations of."""

    def __init__(self, chance: Random) -> None:
        self.chance = chance
        self.people = _people(chance)
        self.endpoints = [
            Endpoint.objects.create(name=name, model=model, protocol="openai", url="http://[::1]:9")
            for name, model in _ENDPOINTS.items()
        ]
        self.sentences = [_sentence(_made_up(chance)) for _ in range(5000)]
        self.rare = {_sentence(f"Something of a {word}."): every for word, every in RARE.items()}
        self._entry_ids = counting(1)

    def write(self, count: int) -> None:
        lengths = self._lengths(count)
        weights = [1 / (rank + 5) for rank in range(len(self.people))]
        owners = self.chance.choices(self.people, weights, k=len(lengths))
        step = _SPAN / len(lengths)
        begun = datetime.now(UTC) - _SPAN
        for first in range(0, len(lengths), _AT_ONCE):
            some = range(first, min(first + _AT_ONCE, len(lengths)))
            talks = [self._talk(owners[n], lengths[n], begun + n * step) for n in some]
            with transaction.atomic():
                insert(Conversation, (talk.conversation for talk in talks))
                insert(Message, (m for talk in talks for m in talk.messages))
                insert(SearchEntry, (e for talk in talks for e in talk.entries))
        go_on_counting(SearchEntry)

    def _lengths(self, count: int) -> list[int]:
        """Of each conversation: nine in ten are shorter than 25 messages."""
        lengths, left = [], count - min(LONGEST, count)
        while left > 0:
            lengths.append(min(2 * max(1, round(self.chance.lognormvariate(1.2, 0.95))), 400))
            left -= lengths[-1]
        return [min(LONGEST, count), *lengths]

    def _talk(self, owner: int, length: int, begun: datetime) -> "Talk":
        endpoint = self.chance.choice(self.endpoints)
        talk = Talk({}, [], [])
        parent, at = None, begun
        for n in range(length):
            is_reply = n % 2 == 1
            said = self._said(is_reply=is_reply)
            values = {"parent": parent, "text": " ".join(s.text for s in said), "asked_at": at}
            values |= self._made(endpoint, at) if is_reply else {"role": Role.USER.value}
            values |= {"id": self._id(), "conversation": begun, "chosen_at": at}
            parent = values["id"]
            talk.messages.append(values)
            talk.entries.append(
                {"id": next(self._entry_ids), "message": parent, "owner": owner}
                | {"text": " ".join(s.words for s in said)}
            )
            at += timedelta(seconds=self.chance.uniform(4, 90))
        self._complete(talk, owner, endpoint, begun, at)
        return talk

    def _complete(
        self, talk: "Talk", owner: int, endpoint: Endpoint, begun: datetime, ended: datetime
    ) -> None:
        talk.conversation.update(
            id=self._id(),
            owner=owner,
            title=talk.messages[0]["text"][:60],
            endpoint=endpoint.pk,
            created_at=begun,
            updated_at=ended,
            active_at=ended,
            answered_at=ended,
            deleted_at=ended if self.chance.random() < 0.02 else None,
        )
        for message in talk.messages:
            message["conversation"] = talk.conversation["id"]

    def _said(self, *, is_reply: bool) -> list["Sentence"]:
        median = 4 if is_reply else 1.3
        number = max(1, min(round(self.chance.lognormvariate(0, 0.8) * median), 60))
        said = self.chance.choices(self.sentences, k=number)
        return [*said, *(s for s, every in self.rare.items() if self.chance.random() < 1 / every)]

    def _made(self, endpoint: Endpoint, at: datetime) -> Values:
        status = drawn(_STATUSES, self.chance)
        rating, reason = drawn(_RATINGS, self.chance)
        first = at + timedelta(seconds=self.chance.lognormvariate(-0.9, 0.9))
        last = first + timedelta(seconds=self.chance.uniform(1, 12))
        is_error = status == Status.ERROR
        return {
            "role": Role.ASSISTANT.value,
            "status": status,
            "endpoint": endpoint.pk,
            "endpoint_name": endpoint.name,
            "model": endpoint.model,
            "finish_reason": "stop" if status == Status.COMPLETE else "",
            "input_tokens": self.chance.randint(20, 4000),
            "output_tokens": self.chance.randint(5, 900),
            "error_kind": "overloaded" if is_error else "",
            "error_message": "503 no replica is ready" if is_error else "",
            "attempts": 1,
            "request_sent_at": at,
            "headers_at": first,
            "first_token_at": first,
            "last_token_at": last,
            "finished_at": last,
            "arrivals": _ARRIVALS,
            "rating": rating,
            "rating_reason": reason,
        }

    def _id(self) -> UUID:
        return UUID(int=self.chance.getrandbits(128), version=4)


@dataclass(frozen=True, slots=True)
class Sentence:
    text: str
    words: str


@dataclass(frozen=True, slots=True)
class Talk:
    """The values of one conversation's rows."""

    conversation: Values
    messages: list[Values]
    entries: list[Values]


_ARRIVALS = {"bucket_ms": 160.0, "counts": [3, 5, 4, 6, 5, 0, 0, 4, 6, 5] * 4}


def _people(chance: Random) -> list[int]:
    people = User.objects.bulk_create(User(username=f"person{n}") for n in range(PEOPLE))
    groups = Group.objects.bulk_create(Group(name=f"Team {n}") for n in range(GROUPS))
    membership = User.groups.through
    membership.objects.bulk_create(
        membership(user=person, group=chance.choice(groups)) for person in people
    )
    return [person.pk for person in people]


def _made_up(chance: Random) -> str:
    """Words of one to four syllables, short ones more often, as in a language."""
    lengths = chance.choices((1, 2, 2, 3, 4), k=chance.randint(8, 24))
    words = ("".join(chance.choices(_SYLLABLES, k=length)) for length in lengths)
    return "The " + " ".join(words) + chance.choice((".", "?", "!"))


def _sentence(text: str) -> Sentence:
    return Sentence(text, words_of(text))


def drawn(weights: Mapping[Any, int], chance: Random) -> Any:
    return chance.choices(list(weights), list(weights.values()))[0]


def insert(model: type[models.Model], rows: Iterable[Values]) -> None:
    """Rows of a model by the names of its fields; what they leave out has its default."""
    fields = [field for field in model._meta.concrete_fields if not field.generated]
    at = {field.name: i for i, field in enumerate(fields)}
    defaults = [field.get_db_prep_save(field.get_default(), connection) for field in fields]
    table, names = model._meta.db_table, ", ".join(field.column for field in fields)
    adapt = _IN_POSTGRESQL if connection.vendor == "postgresql" else _IN_SQLITE
    made = _rows(rows, at, defaults, adapt)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for row in made:
                    copy.write_row(row)
        else:
            marks = ", ".join(["%s"] * len(fields))
            cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", made)


# How values are stored that are not stored as they are; a field's own way takes ten times as long.
_IN_SQLITE = {UUID: lambda u: u.hex, datetime: lambda d: str(d.replace(tzinfo=None)), dict: dumps}
_IN_POSTGRESQL = {dict: Jsonb}


def _rows(
    rows: Iterable[Values],
    at: Mapping[str, int],
    defaults: Sequence[Any],
    adapt: Mapping[type, Callable[[Any], Any]],
) -> Iterator[list[Any]]:
    for values in rows:
        row = [*defaults]
        for name, value in values.items():
            as_stored = adapt.get(type(value))
            row[at[name]] = as_stored(value) if as_stored else value
        yield row


def go_on_counting(model: type[models.Model]) -> None:
    """PostgreSQL counts ids by itself, and did not see those that were given."""
    if connection.vendor == "postgresql":
        table = model._meta.db_table
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}"
            )
