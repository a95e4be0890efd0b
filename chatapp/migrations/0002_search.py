"""The index over what a search looks through, which each database has in its own way."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

SQLITE = [
    # Folded words come in, so nothing is left to fold. The prefixes are those that many words have.
    """
    CREATE VIRTUAL TABLE chatapp_search USING fts5(
        owner_id, text, content='chatapp_searchentry', content_rowid='id',
        tokenize="unicode61 remove_diacritics 0", prefix='1 2 3'
    )
    """,
    """
    CREATE TRIGGER chatapp_search_insert AFTER INSERT ON chatapp_searchentry BEGIN
        INSERT INTO chatapp_search(rowid, owner_id, text) VALUES (new.id, new.owner_id, new.text);
    END
    """,
    """
    CREATE TRIGGER chatapp_search_delete AFTER DELETE ON chatapp_searchentry BEGIN
        INSERT INTO chatapp_search(chatapp_search, rowid, owner_id, text)
        VALUES ('delete', old.id, old.owner_id, old.text);
    END
    """,
    """
    CREATE TRIGGER chatapp_search_update AFTER UPDATE OF text ON chatapp_searchentry BEGIN
        INSERT INTO chatapp_search(chatapp_search, rowid, owner_id, text)
        VALUES ('delete', old.id, old.owner_id, old.text);
        INSERT INTO chatapp_search(rowid, owner_id, text) VALUES (new.id, new.owner_id, new.text);
    END
    """,
]
# Stored, because rows are also looked at without the index: from the newest on. Whose they are is a
# word as well, so that the index finds one person's alone.
POSTGRESQL = [
    """
    ALTER TABLE chatapp_searchentry
    ADD COLUMN words tsvector GENERATED ALWAYS AS (
        to_tsvector('simple', text) || array_to_tsvector(ARRAY['owner ' || owner_id::text])
    ) STORED
    """,
    "CREATE INDEX chatapp_search ON chatapp_searchentry USING gin (words)",
    "CREATE INDEX chatapp_search_newest ON chatapp_searchentry (owner_id, id)",
]
SQLITE_BACK = ["DROP TABLE chatapp_search"]
POSTGRESQL_BACK = [
    "DROP INDEX chatapp_search_newest",
    "DROP INDEX chatapp_search",
    "ALTER TABLE chatapp_searchentry DROP COLUMN words",
]


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
