from django.contrib import admin

from mailboxes.models import Mailbox
from purelymanage.core.inspection import InspectionAdmin


@admin.register(Mailbox)
class MailboxInspection(InspectionAdmin):
    list_display = ["address", "domain", "created_at"]
    list_select_related = ["domain"]
    search_fields = ["address"]
