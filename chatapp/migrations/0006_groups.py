"""The groups of administrators, the exports they make, and events that nobody can alter."""

import uuid

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from chatapp.models.rights import AUDITOR, OPERATOR, grant

READS = (
    "chatapp.view_conversation",
    "chatapp.view_message",
    "chatapp.view_auditevent",
    "auth.view_user",
)
RUNS = (
    "chatapp.view_endpoint",
    "chatapp.add_endpoint",
    "chatapp.change_endpoint",
    "chatapp.delete_endpoint",
    "chatapp.operate",
)

SQLITE = [
    """
    CREATE TRIGGER chatapp_auditevent_stays BEFORE DELETE ON chatapp_auditevent BEGIN
        SELECT RAISE(ABORT, 'audit events cannot be deleted');
    END
    """,
    """
    CREATE TRIGGER chatapp_auditevent_stays_as_it_is BEFORE UPDATE ON chatapp_auditevent BEGIN
        SELECT RAISE(ABORT, 'audit events cannot be altered');
    END
    """,
    # INSERT OR REPLACE deletes without a trigger being asked.
    """
    CREATE TRIGGER chatapp_auditevent_is_not_replaced BEFORE INSERT ON chatapp_auditevent
    WHEN EXISTS (SELECT 1 FROM chatapp_auditevent WHERE id = new.id) BEGIN
        SELECT RAISE(ABORT, 'audit events cannot be replaced');
    END
    """,
]
SQLITE_BACK = [
    "DROP TRIGGER chatapp_auditevent_stays",
    "DROP TRIGGER chatapp_auditevent_stays_as_it_is",
    "DROP TRIGGER chatapp_auditevent_is_not_replaced",
]
POSTGRESQL = [
    """
    CREATE FUNCTION chatapp_refuse_to_forget() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'audit events cannot be altered or deleted'
            USING ERRCODE = 'integrity_constraint_violation';
    END
    $$
    """,
    """
    CREATE TRIGGER chatapp_auditevent_stays BEFORE UPDATE OR DELETE ON chatapp_auditevent
    FOR EACH ROW EXECUTE FUNCTION chatapp_refuse_to_forget()
    """,
]
POSTGRESQL_BACK = [
    "DROP TRIGGER chatapp_auditevent_stays ON chatapp_auditevent",
    "DROP FUNCTION chatapp_refuse_to_forget()",
]


def make_groups(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Exporting and deleting are in neither: they are given to a person, or to a group, by hand."""
    grant(apps, schema_editor, AUDITOR, *READS)
    grant(apps, schema_editor, OPERATOR, *RUNS)


def make_triggers(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    is_sqlite = schema_editor.connection.vendor == "sqlite"
    for statement in SQLITE if is_sqlite else POSTGRESQL:
        schema_editor.execute(statement)


def drop_triggers(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    is_sqlite = schema_editor.connection.vendor == "sqlite"
    for statement in SQLITE_BACK if is_sqlite else POSTGRESQL_BACK:
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [
        ("chatapp", "0005_history"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name="auditevent",
            name="action",
            field=models.CharField(
                choices=[
                    ("read", "read"),
                    ("export", "exported"),
                    ("add", "added"),
                    ("delete", "deleted"),
                    ("restore", "restored"),
                    ("hold", "put on hold"),
                    ("release", "released from hold"),
                    ("cancel", "cancelled"),
                    ("change", "changed"),
                    ("test", "tested"),
                ],
                max_length=16,
                verbose_name="what",
            ),
        ),
        migrations.CreateModel(
            name="Export",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("kind", models.CharField(max_length=8)),
                ("total", models.PositiveIntegerField()),
                ("conversations", models.PositiveIntegerField(default=0)),
                ("messages", models.PositiveIntegerField(default=0)),
                ("is_complete", models.BooleanField(default=False)),
                ("began_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                (
                    "actor",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "export",
                "verbose_name_plural": "exports",
            },
        ),
        migrations.RunPython(make_triggers, drop_triggers),
        migrations.RunPython(make_groups, migrations.RunPython.noop),
    ]
