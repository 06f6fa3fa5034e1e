from typing import Any

from django.apps import AppConfig
from django.db import connection
from django.db.models.signals import post_migrate


class JobsConfig(AppConfig):
    name = "purelymanage.jobs"
    label = "jobs"

    def ready(self) -> None:
        from django_q.signals import post_execute_in_worker, pre_execute  # it needs settings

        from purelymanage.core import redaction

        post_migrate.connect(install_schedules, sender=self)
        pre_execute.connect(redaction.begin_task)
        post_execute_in_worker.connect(redaction.clean_result)


def install_schedules(**_: Any) -> None:
    """After `migrate`, unless it was one app's migrations only and the table is not there yet."""
    from django_q.models import Schedule  # models are not there when this module loads

    from purelymanage.jobs import schedules

    if Schedule._meta.db_table in connection.introspection.table_names():
        schedules.install()
