from django.db import migrations, models

from audit import guards


def install(apps, schema_editor):
    guards.install(schema_editor.connection)


def remove(apps, schema_editor):
    guards.remove(schema_editor.connection)


class Migration(migrations.Migration):
    """Every row has its place now, and from here on the database refuses to change or remove any."""

    dependencies = [("audit", "0003_seal")]

    operations = [
        *[
            migrations.AlterField(
                model, "position", models.BigIntegerField(editable=False, unique=True)
            )
            for model in ("entry", "outcome")
        ],
        migrations.RunPython(install, remove),
    ]
