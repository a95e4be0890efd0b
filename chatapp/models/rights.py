"""Names of permissions → the groups that a migration makes hold them."""

from typing import Any

from django.contrib.auth.management import create_permissions
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

AUDITOR, OPERATOR = "Auditor", "Operator"


def grant(
    apps: StateApps, schema_editor: BaseDatabaseSchemaEditor, group: str, *names: str
) -> None:
    """Adds permissions (“app.codename”) to the group, which is made if it is missing.

    For migrations. Permissions are otherwise made only after all of them, so those of the models
    there are by now are made here; a name that is none yet is left to a later migration.
    """
    database = schema_editor.connection.alias
    for app in {name.partition(".")[0] for name in names}:
        _make_permissions(apps, database, app)
    permissions = apps.get_model("auth", "Permission").objects.using(database)
    found, _ = apps.get_model("auth", "Group").objects.using(database).get_or_create(name=group)
    for name in names:
        app, _, codename = name.partition(".")
        found.permissions.add(*permissions.filter(content_type__app_label=app, codename=codename))


def _make_permissions(apps: StateApps, database: str, app: str) -> None:
    config: Any = apps.get_app_config(app)
    module = getattr(config, "models_module", None)
    config.models_module = module or True  # an app as it was has none, and would be passed over
    create_permissions(config, verbosity=0, using=database, apps=apps)
    config.models_module = module
