"""`manage.py demo`: from nothing to a link that signs you in."""

import secrets
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser

from chatapp.management.arguments import port
from chatapp.management.commands.serve import claim, serve
from chatapp.serving import static_files
from chatapp.views.demo import token_for

VISITOR, ADMINISTRATOR = "demo", "admin"


class Command(BaseCommand):
    help = "Prepares a database with a demo user and an administrator, serves, prints a link."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
        parser.add_argument("--port", type=port, default=settings.PORT, help="port to listen on")
        parser.add_argument("--password", help="for both users; random if not given")

    def handle(self, *args: Any, **options: Any) -> None:
        claim()
        call_command("migrate", verbosity=0)
        static_files.prepare()
        host, number, password = options["host"], options["port"], options["password"]
        serve(host, number, lambda: greeting(f"http://{_in_url(host)}:{number}", password))


def greeting(origin: str, password: str | None) -> str:
    """Makes the users and says how to sign in; new random passwords unless one is given."""
    lines = [
        "",
        f"  Open this link, it signs you in:  {origin}/demo/{token_for(VISITOR)}/",
        "",
        f"  User {VISITOR}, password {_account(VISITOR, password, is_administrator=False)}",
        f"  User {ADMINISTRATOR}, password {_account(ADMINISTRATOR, password)}",
        f"  Administration:  {origin}/admin/",
        "",
        "  The model is scripted, not an AI. Ask it for /help. Ctrl-C ends the demo.",
        "",
    ]
    return "\n".join(lines)


def _account(name: str, password: str | None, *, is_administrator: bool = True) -> str:
    """Makes the user if there is none, and returns the password that holds from now on."""
    rights = {"is_staff": is_administrator, "is_superuser": is_administrator}
    user, _ = get_user_model().objects.get_or_create(username=name, defaults=rights)
    password = password or secrets.token_urlsafe(9)
    user.set_password(password)
    user.save()
    return password


def _in_url(host: str) -> str:
    host = "127.0.0.1" if host in ("0.0.0.0", "::") else host
    return f"[{host}]" if ":" in host else host
