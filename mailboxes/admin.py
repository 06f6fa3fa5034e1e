from django.contrib import admin

from mailboxes.models import Mailbox, MailboxBatch, MailboxBatchRow
from purelymanage.core.inspection import InspectionAdmin


@admin.register(Mailbox)
class MailboxInspection(InspectionAdmin):
    list_display = ["address", "domain", "created_at"]
    list_select_related = ["domain"]
    search_fields = ["address"]


@admin.register(MailboxBatch)
class MailboxBatchInspection(InspectionAdmin):
    list_display = ["name", "kind", "state", "created_by_name", "created_at"]


@admin.register(MailboxBatchRow)
class MailboxBatchRowInspection(InspectionAdmin):
    list_display = ["batch", "line", "address", "state", "message"]
    list_select_related = ["batch"]
