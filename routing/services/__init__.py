"""Every change of routing rules, and the refresh of their copy."""

from routing.services.copies import refresh_rules
from routing.services.edits import edit_rule, finish_edits
from routing.services.rules import create_rule, refuse_shared, refuse_while_edited

__all__ = [
    "create_rule",
    "edit_rule",
    "finish_edits",
    "refresh_rules",
    "refuse_shared",
    "refuse_while_edited",
]
