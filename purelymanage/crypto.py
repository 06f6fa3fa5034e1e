"""Stored secrets: AES-256-GCM, a fresh nonce each, bound to the row and field they stand in.

Envelope: `pm1.<key id>.<base64url of nonce + ciphertext>`. The key that encrypts is derived by
HKDF-SHA256 from an entry of ENCRYPTION_KEYS, one for each purpose: what is sealed for one does not
open for another. The associated data is `table:row key:field`: a ciphertext moved to another place
does not open.
"""

from __future__ import annotations

import base64
import re
import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models

from purelymanage.core.errors import RefusedError
from purelymanage.core.redaction import note

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

VERSION = "pm1"
NONCE_BYTES = 12
KEY_ID_DIGITS = 8
ENVELOPE = re.compile(rf"(pm[0-9]+)\.([0-9a-f]{{{KEY_ID_DIGITS}}})\.([A-Za-z0-9_=-]+)")


class Purpose(StrEnum):
    """What a derived key is for; the names are part of the derivation and never change."""

    FIELDS = "fields"
    SESSIONS = "sessions"
    SECOND_FACTORS = "second factors"
    AUDIT_CHAIN = "audit chain"
    KEY_ID = "key id"


class DecryptionError(RefusedError):
    """A stored secret does not open; says which, why and what to do, never the value."""

    def __init__(self, place: str, problem: str, *, missing_key: str = "") -> None:
        super().__init__(f"The stored secret {place} does not open: {problem}")
        self.place = place
        self.missing_key = missing_key
        """The id of the key that ENCRYPTION_KEYS does not hold any more."""


def derive_key(master: bytes, purpose: Purpose) -> bytes:
    """32 bytes for one purpose, from one entry of ENCRYPTION_KEYS."""
    return HKDF(SHA256(), length=32, salt=None, info=f"purelymanage {purpose}".encode()).derive(
        master
    )


def key_id(master: bytes) -> str:
    """How an entry of ENCRYPTION_KEYS is called wherever it was used: eight hexadecimal digits."""
    return derive_key(master, Purpose.KEY_ID).hex()[:KEY_ID_DIGITS]


def decode_key(entry: str) -> bytes:
    """The 32 bytes of an ENCRYPTION_KEYS entry; raises ImproperlyConfigured."""
    try:
        key = base64.b64decode(entry, validate=True)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise ImproperlyConfigured("Each of ENCRYPTION_KEYS is 32 random bytes in base64.")
    return key


@cache
def derived_keys(entries: tuple[str, ...], purpose: Purpose) -> dict[str, bytes]:
    """Key id → the key for one purpose, in the order of the entries."""
    masters = [decode_key(entry) for entry in entries]
    return {key_id(master): derive_key(master, purpose) for master in masters}


def known_key_ids() -> list[str]:
    """The ids of ENCRYPTION_KEYS; the first one seals."""
    return list(derived_keys(tuple(settings.ENCRYPTION_KEYS), Purpose.KEY_ID))


def current_prefix() -> str:
    """What every envelope begins with that is sealed with the first key."""
    return f"{VERSION}.{known_key_ids()[0]}."


@cache
def _ciphers(entries: tuple[str, ...], purpose: Purpose) -> dict[str, AESGCM]:
    return {name: AESGCM(key) for name, key in derived_keys(entries, purpose).items()}


def encrypt(plaintext: str, *, bound_to: str, purpose: Purpose = Purpose.FIELDS) -> str:
    """The envelope for `plaintext`, which opens only with the same `bound_to` and purpose."""
    ciphers = _ciphers(tuple(settings.ENCRYPTION_KEYS), purpose)
    name, cipher = next(iter(ciphers.items()))
    nonce = secrets.token_bytes(NONCE_BYTES)
    sealed = nonce + cipher.encrypt(nonce, note(plaintext).encode(), bound_to.encode())
    return f"{VERSION}.{name}.{base64.urlsafe_b64encode(sealed).decode()}"


def decrypt(envelope: str, *, bound_to: str, purpose: Purpose = Purpose.FIELDS) -> str:
    """What `encrypt` was given. Raises DecryptionError naming the place and the key id."""
    if not (parts := ENVELOPE.fullmatch(envelope)):
        raise DecryptionError(bound_to, "it is no envelope. Type or make it again.")
    version, name, payload = parts.groups()
    if version != VERSION:
        raise DecryptionError(
            bound_to, f"this version does not know the form {version}. Upgrade the panel."
        )
    cipher = _ciphers(tuple(settings.ENCRYPTION_KEYS), purpose).get(name)
    if cipher is None:
        raise DecryptionError(
            bound_to,
            f"no key {name} among ENCRYPTION_KEYS. Put that key back, last in the list, and start"
            " the panel again.",
            missing_key=name,
        )
    try:
        sealed = _decoded(payload)
        opened = cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound_to.encode())
    except (InvalidTag, ValueError):
        problem = f"changed or moved since key {name} sealed it. Type or make it again."
        raise DecryptionError(bound_to, problem) from None
    return note(opened.decode())


def _decoded(payload: str) -> bytes:
    """The bytes of base64url; ValueError where other letters would stand for the same bytes."""
    sealed = base64.urlsafe_b64decode(payload)
    if base64.urlsafe_b64encode(sealed).decode() != payload:
        raise ValueError("not the one spelling of these bytes")
    return sealed


def is_envelope(text: str) -> bool:
    """Whether this looks like what `encrypt` makes."""
    return text.startswith(f"{VERSION}.")


@dataclass(frozen=True)
class Secret:
    """A stored secret. It prints as dots; `reveal()` opens it where it is used."""

    envelope: str = field(repr=False)
    place: Callable[[], str] = field(repr=False, compare=False)

    @property
    def bound_to(self) -> str:
        """The associated data of its row and field; written down only where it is needed."""
        return self.place()

    def reveal(self) -> str:
        """The plain text. Raises DecryptionError."""
        return decrypt(self.envelope, bound_to=self.bound_to)

    def __bool__(self) -> bool:
        return bool(self.envelope)

    def __str__(self) -> str:
        return "••••••••" if self.envelope else ""


class SecretDescriptor:
    """Encrypts on assignment, so that a plain secret never waits in a model instance."""

    def __init__(self, field: EncryptedField) -> None:
        self.field = field

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self
        if self.field.attname not in instance.__dict__:
            instance.refresh_from_db(fields=[self.field.attname])
        return Secret(instance.__dict__[self.field.attname], partial(self.field.bound_to, instance))

    def __set__(self, instance: Any, value: Any) -> None:
        instance.__dict__[self.field.attname] = (
            value if isinstance(value, str) and not value else self._seal(instance, value)
        )

    def _seal(self, instance: Any, value: Any) -> Any:
        if isinstance(value, Envelope):
            return value
        if isinstance(value, Secret):
            if value.bound_to == self.field.bound_to(instance):
                return str(value.envelope)
            value = value.reveal() if value else ""
        return encrypt(value, bound_to=self.field.bound_to(instance)) if value else ""


class Envelope(str):
    """A ciphertext from the database, as opposed to a plain secret being assigned."""

    __slots__ = ()


class EncryptedField(models.TextField):  # type: ignore[type-arg]  # not subscriptable at run time
    """A text column that only ever holds envelopes. Its model is an `EncryptedModel`.

    Assign plain text (or another row's Secret) to set it, `row.field.reveal()` to use it.
    """

    descriptor_class = SecretDescriptor

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.update(blank=True, default="", editable=False)
        super().__init__(*args, **kwargs)

    def bound_to(self, instance: Any) -> str:
        """The associated data: `table:row key:field`."""
        table = self.model._meta.db_table
        return f"{table}:{instance.row_key}:{self.attname}"

    def from_db_value(self, value: str, *_: object) -> Envelope:
        return Envelope(value)

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:  # noqa: FBT001  Django's signature
        """What was not assigned stays as it is in the row: it may be sealed anew by now."""
        stored = model_instance.__dict__[self.attname]
        if isinstance(stored, Envelope) and not add:
            return models.F(self.attname)
        return Envelope(stored)

    def get_db_prep_value(
        self,
        value: Any,
        connection: BaseDatabaseWrapper,
        prepared: bool = False,  # noqa: FBT001, FBT002
    ) -> Any:
        if value == "" or isinstance(value, Envelope):
            return str(value)
        raise TypeError(f"{self.name} takes secrets by assignment only, not in queries.")

    def get_prep_value(self, value: Any) -> Any:
        return value


class EncryptedModel(models.Model):
    """A row with encrypted fields; its key exists before the row does."""

    row_key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)

    class Meta:
        abstract = True
