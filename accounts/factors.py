"""Second factors: what django-allauth keeps of them is sealed and bound to its row.

allauth hands its adapter a secret without saying where it goes. So `encrypt` only marks it; it is
sealed when its row is saved, where its place is known, and marked again when the row is loaded. A
secret that would be stored in another way is stored as an empty text, which opens nothing.
"""

from __future__ import annotations

from typing import Any

from allauth.mfa.adapter import DefaultMFAAdapter
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


class FactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth ships no types
    """How django-allauth's second factors behave here."""

    def encrypt(self, text: str) -> str:
        return Unsealed(text)

    def decrypt(self, encrypted_text: str) -> str:
        if isinstance(encrypted_text, Unsealed):
            return encrypted_text.plain
        if isinstance(encrypted_text, Sealed):
            return crypto.decrypt(encrypted_text, bound_to=encrypted_text.place)
        raise crypto.DecryptionError("A secret of a second factor did not come from its row.")


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
            envelope = crypto.encrypt(value.plain, bound_to=bound_to)
            instance.data[name] = Sealed(envelope, bound_to)


def _mark(instance: Authenticator, **_: Any) -> None:
    if "data" not in instance.__dict__ or not isinstance(instance.data, dict):
        return
    for name, value in instance.data.items():
        if isinstance(value, str) and crypto.is_envelope(value):
            instance.data[name] = Sealed(value, place(instance, name))
