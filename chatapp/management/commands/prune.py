"""`manage.py prune`: removes what is over, and says what it was."""

import time
from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error as DatabaseTrouble

from chatapp.management.arguments import migrated
from chatapp.oversight import retention
from chatapp.oversight.retention import EXPIRED, Bounds, Counts

_LEAST_PAUSE_S = 0.02
_NAMES = {
    "Conversation": ("conversation", "conversations"),
    "Message": ("message", "messages"),
    "Attachment": ("file", "files"),
    "Import": ("report of an import", "reports of imports"),
    "Share": ("link", "links"),
    "Queued": ("waiting message", "waiting messages"),
    "User": ("account", "accounts"),
}


class Command(BaseCommand):
    help = (
        "Deletes conversations older than RETENTION_DAYS and removes for good what was deleted "
        "longer than DELETED_GRACE_DAYS ago. Run it daily; the server may run meanwhile."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say what would go")

    def handle(self, *args: Any, **options: Any) -> None:
        over = retention.bounds()
        with migrated():
            held = retention.held(over)
            if options["dry_run"]:
                self._report("would be ", retention.expected(over), held)
            else:
                self._prune(over, held)

    def _prune(self, over: Bounds, held: Counts) -> None:
        done: Counts = Counter()
        began_at = time.monotonic()
        try:
            for took in retention.steps(over):
                done += took
                # The others' turn, for as long as ours was: SQLite lets one write at a time.
                time.sleep(max(time.monotonic() - began_at, _LEAST_PAUSE_S))
                began_at = time.monotonic()
        except DatabaseTrouble as error:
            self._report("", done, held)
            raise CommandError(f"The database failed; run it again for the rest. {error}") from None
        self._report("", done, held)

    def _report(self, would_be: str, done: Counts, held: Counts) -> None:
        gone = Counter({kind: count for kind, count in done.items() if kind in _NAMES})
        self.stdout.write(
            f"{_listed(Counter(Conversation=done[EXPIRED]))} {would_be}deleted by age"
        )
        self.stdout.write(f"{_listed(gone)} {would_be}removed for good")
        self.stdout.write(f"{_listed(held)} held")


def _listed(counts: Counts) -> str:
    """“1 conversation, 3 messages”, in the order of `_NAMES`."""
    told = [
        f"{counts[kind]} {names[counts[kind] != 1]}"
        for kind, names in _NAMES.items()
        if counts[kind]
    ]
    return ", ".join(told) or "nothing"
