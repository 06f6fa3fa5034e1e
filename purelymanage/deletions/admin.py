from django.contrib import admin

from purelymanage.core.inspection import InspectionAdmin
from purelymanage.deletions.models import Alarm, Freeze, PendingDeletion


@admin.register(PendingDeletion)
class PendingDeletionInspection(InspectionAdmin):
    list_display = ["label", "kind", "state", "requested_by_name", "due_at"]
    list_filter = ["state", "kind"]


@admin.register(Freeze)
class FreezeInspection(InspectionAdmin):
    list_display = ["person_name", "frozen_by_name", "frozen_at", "undone_at"]


@admin.register(Alarm)
class AlarmInspection(InspectionAdmin):
    list_display = ["person_name", "raised_at", "told_at"]
