"""Replies remember which of their tokens the figures hold already."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("chatapp", "0012_owners_of_copied_files")]

    operations = [
        migrations.AddField(
            model_name="message",
            name="counted_input_tokens",
            field=models.PositiveIntegerField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="message",
            name="counted_output_tokens",
            field=models.PositiveIntegerField(editable=False, null=True),
        ),
    ]
