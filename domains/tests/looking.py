"""A lookup of one domain, whenever its turn is."""

from __future__ import annotations

from domains import lookups
from domains.models import Domain
from domains.services import ownership_code


def look_up_now(domain: Domain) -> None:
    found = lookups.dns.look_up(domain.name, ownership_code=ownership_code())
    lookups._save(domain.pk, found)
