"""Every change of domains, of what is known about them, and of the account."""

from domains.services.account import ownership_code, read_ownership_code
from domains.services.copies import domains_called, refresh_domains, request_refresh
from domains.services.credit import read_credit

__all__ = [
    "domains_called",
    "ownership_code",
    "read_credit",
    "read_ownership_code",
    "refresh_domains",
    "request_refresh",
]
