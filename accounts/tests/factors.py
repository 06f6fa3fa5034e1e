"""Second factors for tests, made without the pages that set them up."""

from __future__ import annotations

import time

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value

from accounts.models import User
from accounts.tests.soft_passkey import SoftPasskey

SECRET = "JBSWY3DPEHPK3PXP"


def give_app(person: User) -> Authenticator:
    """An authenticator app."""
    return TOTP.activate(person, SECRET).instance


def give_passkey(person: User) -> SoftPasskey:
    """A passkey that can really sign."""
    passkey = SoftPasskey()
    credential = passkey.create({"publicKey": {"user": {"id": ""}, "challenge": "AAAA"}})
    data = {"name": "Laptop", "credential": credential}
    Authenticator.objects.create(user=person, type=Authenticator.Type.WEBAUTHN, data=data)
    return passkey


def give_codes(person: User) -> list[str]:
    """Recovery codes."""
    return RecoveryCodes.activate(person).generate_codes()


def code_now() -> str:
    """What the app shows at this moment."""
    return format_hotp_value(hotp_value(SECRET, int(time.time() // 30)))
