from django.contrib import admin

from purelymanage.core.inspection import InspectionAdmin
from routing.models import RoutingRule


@admin.register(RoutingRule)
class RoutingRuleInspection(InspectionAdmin):
    list_display = ["source", "targets", "is_catchall", "purelymail_id"]
    list_select_related = ["domain"]
    search_fields = ["match_user", "domain__name"]
