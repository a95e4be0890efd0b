"""Files of copied conversations were their first owner's, and went with their account."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from django.db.models import F, OuterRef, Subquery


def give(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    attachment = apps.get_model("chatapp", "Attachment")
    message = apps.get_model("chatapp", "Message")
    owner = message.objects.filter(pk=OuterRef("message")).values("conversation__owner")
    files = attachment.objects.filter(message__isnull=False)
    strange = files.exclude(owner=F("message__conversation__owner"))
    ids = list(strange.values_list("pk", flat=True))
    attachment.objects.filter(pk__in=ids).update(owner=Subquery(owner))


class Migration(migrations.Migration):
    dependencies = [("chatapp", "0011_rights_of_groups")]

    operations = [migrations.RunPython(give, migrations.RunPython.noop)]
