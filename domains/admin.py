from django.contrib import admin

from domains.models import CreditReading, Domain, SyncState
from purelymanage.core.inspection import InspectionAdmin


@admin.register(Domain)
class DomainInspection(InspectionAdmin):
    list_display = ["name", "passes_mx", "passes_spf", "passes_dkim", "passes_dmarc", "is_shared"]
    search_fields = ["name"]


@admin.register(CreditReading)
class CreditReadingInspection(InspectionAdmin):
    """Each credit PurelyMail told."""


@admin.register(SyncState)
class SyncStateInspection(InspectionAdmin):
    """How fresh each part of the local copy is."""
