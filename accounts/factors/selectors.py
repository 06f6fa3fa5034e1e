"""What the page about second factors needs to know, read in one query."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from allauth.mfa.models import Authenticator

from accounts.models import User


@dataclass(frozen=True)
class Passkey:
    """A passkey as its owner sees it."""

    pk: int
    name: str
    created_at: datetime
    last_used_at: datetime | None


@dataclass
class Factors:
    """All that a person can show beside a password."""

    app: Authenticator | None = None
    passkeys: list[Passkey] = field(default_factory=list)
    has_codes: bool = False
    codes_left: int = 0
    codes_wait: bool = False
    """Whether the recovery codes were never shown, so that they can be."""


def factors_of(person: User) -> Factors:
    """What a person has, the newest passkey last."""
    found = Factors()
    for row in Authenticator.objects.filter(user=person).order_by("created_at", "pk"):
        if row.type == Authenticator.Type.TOTP:
            found.app = row
        elif row.type == Authenticator.Type.WEBAUTHN:
            name = row.wrap().name
            found.passkeys.append(Passkey(row.pk, name, row.created_at, row.last_used_at))
        else:
            codes = row.wrap()
            found.has_codes, found.codes_wait = True, not codes.did_view
            found.codes_left = len(codes.get_unused_codes())
    return found
