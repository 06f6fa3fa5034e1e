from django.db import migrations, models


class Migration(migrations.Migration):
    """A check from before has no code, and the next one takes no word from it."""

    dependencies = [("audit", "0004_guards")]

    operations = [
        migrations.AddField(
            "verification",
            name,
            models.CharField(default="", editable=False, max_length=length),
            preserve_default=False,
        )
        for name, length in (("mac", 64), ("key_id", 8))
    ]
