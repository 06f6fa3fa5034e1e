from django.contrib import admin

from purelymanage.core.inspection import InspectionAdmin
from purelymanage.deletions.models import PendingDeletion


@admin.register(PendingDeletion)
class PendingDeletionInspection(InspectionAdmin):
    list_display = ["label", "kind", "state", "requested_by_name", "due_at"]
    list_filter = ["state", "kind"]
