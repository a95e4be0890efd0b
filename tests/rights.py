"""People with the rights of an administrator, one more than the other."""

from importlib import import_module

from django.apps import apps
from django.contrib.auth.models import Group, Permission, User
from django.db import connection

GROUPS, LATER = "chatapp.migrations.0006_groups", "chatapp.migrations.0011_rights_of_groups"


def make_groups() -> None:
    """As the migrations make them; a test's database is emptied, of them too."""
    with connection.schema_editor() as editor:
        import_module(GROUPS).make_groups(apps, editor)
        import_module(LATER).give(apps, editor)


def staff(name: str, *groups: str, rights: tuple[str, ...] = ()) -> User:
    """Somebody whom the admin lets in, in these groups and with these rights of chatapp's."""
    person = User.objects.create_user(name, password="x", is_staff=True)
    if groups:
        make_groups()
        person.groups.set(Group.objects.filter(name__in=groups))
    found = Permission.objects.filter(content_type__app_label="chatapp", codename__in=rights)
    person.user_permissions.set(found)
    return person
