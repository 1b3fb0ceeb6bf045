import contextlib

from django.db import migrations, models


def measure(apps, schema_editor):
    """The pictures that are there already; one whose file is lost takes no room."""
    for screenshot in apps.get_model("journal", "Screenshot")._default_manager.all():
        with contextlib.suppress(OSError):
            screenshot.size = screenshot.image.size
            screenshot.save(update_fields=["size"])


class Migration(migrations.Migration):
    dependencies = [("journal", "0001_initial")]

    operations = [
        migrations.AddField("screenshot", "size", models.PositiveIntegerField(default=0)),
        migrations.RunPython(measure, migrations.RunPython.noop),
    ]
