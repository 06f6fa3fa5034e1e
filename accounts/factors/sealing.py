"""Second factors: what django-allauth keeps of them is sealed and bound to its row.

allauth hands its adapter a secret without saying where it goes. So `encrypt` only marks it; it is
sealed when its row is saved, where its place is known, and marked again when the row is loaded. A
secret that would be stored in another way is stored as an empty text, which opens nothing.
"""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from django.db.models.signals import post_init, pre_save

from purelymanage import crypto


class Unsealed(str):
    """A secret on its way to its row: empty as text, so that it cannot be stored by mistake."""

    plain: str

    def __new__(cls, plain: str) -> Unsealed:
        marked = super().__new__(cls, "")
        marked.plain = plain
        return marked


class Sealed(str):
    """An envelope that knows the place it belongs to."""

    place: str

    def __new__(cls, envelope: str, place: str) -> Sealed:
        marked = super().__new__(cls, envelope)
        marked.place = place
        return marked


def opened(secret: str) -> str:
    """The plain text of what `Unsealed` or `Sealed` holds. Raises DecryptionError."""
    if isinstance(secret, Unsealed):
        return secret.plain
    if isinstance(secret, Sealed):
        return crypto.decrypt(secret, bound_to=secret.place, purpose=crypto.Purpose.SECOND_FACTORS)
    raise crypto.DecryptionError("of a second factor", "it did not come from its row.")


def connect() -> None:
    """Listen; called once, when the app is ready."""
    pre_save.connect(_seal, sender=Authenticator)
    post_init.connect(_mark, sender=Authenticator)


def place(authenticator: Authenticator, name: str) -> str:
    """The associated data of one secret: a person has one row of each kind that keeps secrets."""
    return f"mfa_authenticator:{authenticator.user_id}/{authenticator.type}:{name}"


def _seal(instance: Authenticator, **_: Any) -> None:
    for name, value in instance.data.items():
        if isinstance(value, Unsealed):
            bound_to = place(instance, name)
            envelope = crypto.encrypt(
                value.plain, bound_to=bound_to, purpose=crypto.Purpose.SECOND_FACTORS
            )
            instance.data[name] = Sealed(envelope, bound_to)


def _mark(instance: Authenticator, **_: Any) -> None:
    if "data" not in instance.__dict__ or not isinstance(instance.data, dict):
        return
    for name, value in instance.data.items():
        if isinstance(value, str) and crypto.is_envelope(value):
            instance.data[name] = Sealed(value, place(instance, name))


def sealed(authenticator: Authenticator) -> dict[str, str]:
    """Name → envelope of the secrets that a row holds."""
    return {name: value for name, value in authenticator.data.items() if isinstance(value, Sealed)}


def reseal(authenticator: Authenticator, name: str) -> None:
    """Have one of them sealed with the current key when the row is saved."""
    authenticator.data[name] = Unsealed(opened(authenticator.data[name]))
