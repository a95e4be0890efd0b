"""The index over what a search looks through, which each database has in its own way."""

from django.db import migrations
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


class Migration(migrations.Migration):
    dependencies = [("chatapp", "0001_initial")]

    operations = [
        migrations.RunPython(create_index, drop_index),
    ]
