"""What a search looks through, and the index over it that each database has in its own way."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

SQLITE = [
    """
    CREATE VIRTUAL TABLE chatapp_search USING fts5(
        text, content='chatapp_searchentry', content_rowid='id',
        tokenize="unicode61 remove_diacritics 2"
    )
    """,
    """
    CREATE TRIGGER chatapp_search_insert AFTER INSERT ON chatapp_searchentry BEGIN
        INSERT INTO chatapp_search(rowid, text) VALUES (new.id, new.text);
    END
    """,
    """
    CREATE TRIGGER chatapp_search_delete AFTER DELETE ON chatapp_searchentry BEGIN
        INSERT INTO chatapp_search(chatapp_search, rowid, text) VALUES ('delete', old.id, old.text);
    END
    """,
    """
    CREATE TRIGGER chatapp_search_update AFTER UPDATE OF text ON chatapp_searchentry BEGIN
        INSERT INTO chatapp_search(chatapp_search, rowid, text) VALUES ('delete', old.id, old.text);
        INSERT INTO chatapp_search(rowid, text) VALUES (new.id, new.text);
    END
    """,
]
POSTGRESQL = [
    """
    CREATE INDEX chatapp_search ON chatapp_searchentry
    USING gin (to_tsvector('simple', text))
    """
]
SQLITE_BACK = ["DROP TABLE chatapp_search"]
POSTGRESQL_BACK = ["DROP INDEX chatapp_search"]


def create_index(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    is_sqlite = schema_editor.connection.vendor == "sqlite"
    for statement in SQLITE if is_sqlite else POSTGRESQL:
        schema_editor.execute(statement)


def drop_index(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    is_sqlite = schema_editor.connection.vendor == "sqlite"
    for statement in SQLITE_BACK if is_sqlite else POSTGRESQL_BACK:
        schema_editor.execute(statement)


def index_what_is_there(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    Message = apps.get_model("chatapp", "Message")
    SearchEntry = apps.get_model("chatapp", "SearchEntry")
    messages = Message.objects.exclude(text="").values_list("pk", "text")
    entries = (SearchEntry(message_id=pk, text=text[:100_000]) for pk, text in messages.iterator())
    SearchEntry.objects.bulk_create(entries, batch_size=500)


class Migration(migrations.Migration):
    dependencies = [("chatapp", "0004_conversation_list")]

    operations = [
        migrations.CreateModel(
            name="SearchEntry",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("text", models.TextField()),
                (
                    "message",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="search_entry",
                        to="chatapp.message",
                    ),
                ),
            ],
        ),
        migrations.RunPython(create_index, drop_index),
        migrations.RunPython(index_what_is_there, migrations.RunPython.noop),
    ]
