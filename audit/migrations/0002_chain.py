import django.utils.timezone
from django.db import migrations, models

SEALED = {
    "link": models.CharField(default="", editable=False, max_length=64),
    "mac": models.CharField(default="", editable=False, max_length=64),
    "key_id": models.CharField(default="", editable=False, max_length=8),
}


def sealed():
    return [
        ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
        ("position", models.BigIntegerField(editable=False, unique=True)),
        ("link", models.CharField(editable=False, max_length=64)),
        ("mac", models.CharField(editable=False, max_length=64)),
        ("key_id", models.CharField(editable=False, max_length=8)),
    ]


class Migration(migrations.Migration):
    """Room for the seals; rows that exist get theirs in the next migration."""

    dependencies = [("audit", "0001_initial")]

    operations = [
        *[
            migrations.AddField(model, "position", models.BigIntegerField(editable=False, null=True))
            for model in ("entry", "outcome")
        ],
        *[
            migrations.AddField(model, name, field.clone(), preserve_default=False)
            for model in ("entry", "outcome")
            for name, field in SEALED.items()
        ],
        migrations.CreateModel(
            name="Chain",
            fields=[*sealed(), ("is_cutting", models.BooleanField(default=False, editable=False))],
            options={"abstract": False},
        ),
        migrations.CreateModel(
            name="Cut",
            fields=[
                *sealed(),
                ("row_mac", models.CharField(editable=False, max_length=64)),
                ("rows", models.BigIntegerField(editable=False)),
                ("at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
            ],
            options={"abstract": False},
        ),
        migrations.CreateModel(
            name="Verification",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                ("verdict", models.CharField(choices=[("good", "Intact"), ("tampered", "Tampered with"), ("unknown", "Cannot be checked")], max_length=10)),
                ("entries", models.BigIntegerField(help_text="Entries checked")),
                ("kind", models.CharField(blank=True, help_text="audit.verification.Kind", max_length=20)),
                ("position", models.BigIntegerField(blank=True, help_text="Where it is wrong", null=True)),
                ("sentence", models.CharField(blank=True, help_text="What is wrong", max_length=1000)),
                ("head", models.CharField(help_text="The last one that was good: position:mac", max_length=100)),
                ("is_told", models.BooleanField(default=True, help_text="Whether the admins know")),
            ],
        ),
    ]
