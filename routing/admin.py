from django.contrib import admin

from purelymanage.core.inspection import InspectionAdmin
from routing.models import RoutingRule, RuleEdit


@admin.register(RoutingRule)
class RoutingRuleInspection(InspectionAdmin):
    list_display = ["source", "targets", "is_catchall", "purelymail_id"]
    list_select_related = ["domain"]
    search_fields = ["match_user", "domain__name"]


@admin.register(RuleEdit)
class RuleEditInspection(InspectionAdmin):
    list_display = ["domain", "old_id", "started_at", "problem"]
