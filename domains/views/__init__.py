"""Domains: the list, adding one, its pages; and how fresh the local copy is."""

from domains.views.adding import domain_add, ownership_read
from domains.views.copies import copy_note, copy_refresh
from domains.views.deletion import domain_delete
from domains.views.history import domain_history
from domains.views.lists import domain_list, recheck_failing
from domains.views.records import (
    deviation,
    deviation_withdraw,
    domain_detail,
    domain_recheck,
    domain_zone,
)
from domains.views.settings import domain_settings

__all__ = [
    "copy_note",
    "copy_refresh",
    "deviation",
    "deviation_withdraw",
    "domain_add",
    "domain_delete",
    "domain_detail",
    "domain_history",
    "domain_list",
    "domain_recheck",
    "domain_settings",
    "domain_zone",
    "ownership_read",
    "recheck_failing",
]
