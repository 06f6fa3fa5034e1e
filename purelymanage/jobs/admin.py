from django.contrib import admin

from purelymanage.core.inspection import InspectionAdmin
from purelymanage.jobs.models import TaskLock, WorkerHost


@admin.register(WorkerHost)
class WorkerHostInspection(InspectionAdmin):
    list_display = [
        "name",
        "started_at",
        "seen_at",
        "capacity",
        "version",
        "is_draining",
        "drained_at",
    ]


@admin.register(TaskLock)
class TaskLockInspection(InspectionAdmin):
    list_display = ["name", "held_until"]
