"""Messages that wait are given their time: after those before them, whatever the clock says."""

import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("chatapp", "0014_conversation_names")]

    operations = [
        migrations.AlterField(
            model_name="queued",
            name="asked_at",
            field=models.DateTimeField(default=django.utils.timezone.now),
        )
    ]
