"""Conversations have a name in the admin that can be translated."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("chatapp", "0013_counted_tokens")]

    operations = [
        migrations.AlterModelOptions(
            name="conversation",
            options={
                "ordering": ["-active_at"],
                "permissions": [("export_conversation", "Can export conversations")],
                "verbose_name": "conversation",
                "verbose_name_plural": "conversations",
            },
        )
    ]
