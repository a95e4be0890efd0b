"""`manage.py makemessages`: the strings of the sources → the catalogs, compiled.

Django's own, with our ways as its defaults. It needs gettext's tools; serving does not.
"""

import re
from pathlib import Path
from typing import Any

from django.core.management import CommandParser, call_command
from django.core.management.commands import makemessages

_DATES = re.compile(r'^"(POT-Creation|PO-Revision)-Date:.*\n', re.MULTILINE)


class Command(makemessages.Command):
    help = "Takes the strings of the sources into every catalog, or that of -l, and compiles them."

    xgettext_options = [
        *makemessages.Command.xgettext_options,
        "--keyword=_lazy",
        "--keyword=_now",
        "--keyword=_many:1,2",
    ]
    # A guess would have to be found and put right; what is missing is found by itself.
    msgmerge_options = [*makemessages.Command.msgmerge_options, "--no-fuzzy-matching"]

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.set_defaults(
            no_location=True,
            no_obsolete=True,
            no_wrap=True,
            ignore_patterns=["tests", "staticfiles"],
        )

    def handle(self, *args: Any, **options: Any) -> None:
        super().handle(*args, **{**options, "all": not options["locale"]})
        call_command("compilemessages", ignore_patterns=[".venv"], verbosity=options["verbosity"])

    def write_po_file(self, potfile: str, locale: str) -> None:
        """Without the moment, so that a catalog differs only where its strings do."""
        super().write_po_file(potfile, locale)
        catalog = Path(potfile).with_name(locale) / "LC_MESSAGES" / f"{self.domain}.po"
        catalog.write_text(_DATES.sub("", catalog.read_text(encoding="utf-8")), encoding="utf-8")
