"""What pages need to know about domains and the freshness of the copy."""

from domains.selectors.copies import copy_state
from domains.selectors.detail import DnsPage, dns_page, zone_text
from domains.selectors.history import ChangeView, history_page, recent_changes
from domains.selectors.lists import (
    COLUMNS,
    STATES,
    Health,
    counted,
    domain_list,
    find_domains,
    health,
)

__all__ = [
    "COLUMNS",
    "STATES",
    "ChangeView",
    "DnsPage",
    "Health",
    "copy_state",
    "counted",
    "dns_page",
    "domain_list",
    "find_domains",
    "health",
    "history_page",
    "recent_changes",
    "zone_text",
]
