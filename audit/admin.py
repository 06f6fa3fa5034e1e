from django.contrib import admin

from audit.models import Chain, Cut, Entry, Outcome, Verification
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


@admin.register(Chain)
class ChainInspection(InspectionAdmin):
    list_display = ["position", "link", "mac", "key_id"]


@admin.register(Cut)
class CutInspection(InspectionAdmin):
    list_display = ["position", "at", "rows", "key_id"]
    ordering = ["-position"]


@admin.register(Verification)
class VerificationInspection(InspectionAdmin):
    list_display = ["at", "verdict", "entries", "sentence", "head"]
