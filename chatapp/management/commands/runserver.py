"""`manage.py runserver`: says what to use instead."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser


class Command(BaseCommand):
    help = "Not for this project: Django's development server has no sockets and no streams."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("ignored", nargs="*")

    def handle(self, *args: Any, **options: Any) -> None:
        raise CommandError(
            "Use manage.py demo, or DEBUG=on manage.py serve: replies outlive a request, and "
            "Django's development server ends them with it."
        )
