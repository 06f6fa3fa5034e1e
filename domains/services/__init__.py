"""Every change of domains, of what is known about them, and of the account."""

from domains.services.account import ownership_code, read_ownership_code, refresh_ownership_code
from domains.services.copies import domains_called, refresh_domains, request_refresh
from domains.services.credit import read_credit
from domains.services.deviations import accept_deviation, withdraw_deviation
from domains.services.domains import add_domain, change_settings, look_for_ownership

__all__ = [
    "accept_deviation",
    "add_domain",
    "change_settings",
    "domains_called",
    "look_for_ownership",
    "ownership_code",
    "read_credit",
    "read_ownership_code",
    "refresh_domains",
    "refresh_ownership_code",
    "request_refresh",
    "withdraw_deviation",
]
