from django.contrib import admin

from domains.models import (
    CreditReading,
    Deviation,
    DnsChange,
    DnsRecord,
    Domain,
    PurelyMailAccount,
    SyncState,
)
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


@admin.register(PurelyMailAccount)
class PurelyMailAccountInspection(InspectionAdmin):
    """What belongs to the account as a whole."""


@admin.register(DnsRecord)
class DnsRecordInspection(InspectionAdmin):
    list_display = ["domain", "key", "state", "is_answered", "looked_at"]
    list_select_related = ["domain"]
    search_fields = ["domain__name"]


@admin.register(Deviation)
class DeviationInspection(InspectionAdmin):
    list_display = ["domain", "key", "reason", "accepted_by_name"]
    list_select_related = ["domain"]


@admin.register(DnsChange)
class DnsChangeInspection(InspectionAdmin):
    list_display = ["domain", "source", "subject", "before", "after", "at"]
    list_select_related = ["domain"]
    search_fields = ["domain__name"]
