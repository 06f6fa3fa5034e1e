"""Second factors for tests, made without the pages that set them up."""

from __future__ import annotations

import time

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value

from accounts.models import User
from accounts.tests.soft_passkey import SoftPasskey

SECRET = "JBSWY3DPEHPK3PXP"
STEP = 30
"""Seconds for which a code is shown."""


def give_app(person: User) -> Authenticator:
    """An authenticator app with a secret that is always the same."""
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


def code_of(secret: str, *, steps: int = 0) -> str:
    """The code an app shows now, or some steps of 30 seconds from now."""
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // STEP + steps)))


def wrong_code(secret: str) -> str:
    """Six digits that are no code of these minutes."""
    right = {code_of(secret, steps=step) for step in range(-3, 4)}
    return next(code for code in (f"{number:06}" for number in range(20)) if code not in right)


def with_app(person: User) -> str:
    """Give a person an app with a secret of its own, and say which."""
    secret: str = generate_totp_secret()
    TOTP.activate(person, secret)
    return secret


def app_of(person: User) -> Authenticator:
    found: Authenticator = Authenticator.objects.get(user=person, type=Authenticator.Type.TOTP)
    return found


def code_now() -> str:
    """What the app of `give_app` shows at this moment."""
    return code_of(SECRET)
