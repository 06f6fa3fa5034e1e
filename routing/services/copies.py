"""The refresh of the copy of the routing rules."""

from __future__ import annotations

from django.utils import timezone

from domains.copy import Changes, believed, refreshing, update_rows
from domains.models import Kind
from domains.services import domains_called
from purelymanage.purelymail.client import get_client
from routing.models import RoutingRule

WATCHED = ("match_user", "is_prefix", "is_catchall", "targets")


def refresh_rules() -> Changes:
    """Bring the copy of the routing rules up to date with one call to PurelyMail."""
    with refreshing(Kind.RULES) as state:
        asked_at = timezone.now()
        listed = believed(
            state,
            ask=get_client().list_routing_rules,
            size=len,
            held=RoutingRule.objects.count(),
        )
        domains = domains_called(rule.domain.lower() for rule in listed)
        found = {
            rule.id: {
                "domain_id": domains[rule.domain.lower()].pk,
                "match_user": rule.match_user,
                "is_prefix": rule.is_prefix,
                "is_catchall": rule.is_catchall,
                "targets": rule.targets,
            }
            for rule in listed
        }
        return update_rows(
            RoutingRule.objects.select_related("domain"),
            found,
            key="purelymail_id",
            state=state,
            asked_at=asked_at,
            watched=WATCHED,
        )
