from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('deletions', '0003_alarm_and_freeze'),
    ]

    operations = [
        migrations.AddField(
            model_name='pendingdeletion',
            name='told_at',
            field=models.DateTimeField(blank=True, help_text='it failed: when the mail server took the mail about it', null=True),
        ),
    ]
