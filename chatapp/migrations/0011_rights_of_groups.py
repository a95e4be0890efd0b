"""What came after the groups: figures and holds to read, limits to set."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from chatapp.models.rights import AUDITOR, OPERATOR, grant

READS = ("chatapp.view_healthfigure", "chatapp.view_usagefigure", "chatapp.view_hold")
SETS = (
    "chatapp.view_limit",
    "chatapp.add_limit",
    "chatapp.change_limit",
    "chatapp.delete_limit",
)


def give(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    grant(apps, schema_editor, AUDITOR, *READS)
    grant(apps, schema_editor, OPERATOR, *SETS)


class Migration(migrations.Migration):
    dependencies = [("chatapp", "0010_retention")]

    operations = [migrations.RunPython(give, migrations.RunPython.noop)]
