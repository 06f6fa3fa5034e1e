from django.contrib import admin

from audit.models import Entry, Outcome
from purelymanage.core.inspection import InspectionAdmin


@admin.register(Entry)
class EntryInspection(InspectionAdmin):
    list_display = ["at", "actor_name", "action", "target", "address"]
    list_filter = ["action", "actor_kind"]
    search_fields = ["actor_name", "target"]
    ordering = ["-pk"]


@admin.register(Outcome)
class OutcomeInspection(InspectionAdmin):
    list_display = ["entry_id", "at", "result", "reason"]
    list_filter = ["result"]
    ordering = ["-entry_id"]
