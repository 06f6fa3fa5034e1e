"""Domains: the list, adding one, its pages; and how fresh the local copy is."""

from domains.views.copies import copy_note, copy_refresh
from domains.views.lists import domain_list
from domains.views.records import domain_detail

__all__ = [
    "copy_note",
    "copy_refresh",
    "domain_detail",
    "domain_list",
]
