"""Stored secrets: AES-256-GCM, a fresh nonce each, bound to the row and field they stand in.

Envelope: `pm1.<key id>.<base64url of nonce + ciphertext>`. The key that encrypts is derived by
HKDF-SHA256 from an entry of ENCRYPTION_KEYS, so that one entry can serve several purposes.
The associated data is `table:row key:field`: a ciphertext moved to another place does not open.
"""

from __future__ import annotations

import base64
import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

VERSION = "pm1"
NONCE_BYTES = 12


class DecryptionError(Exception):
    """A stored secret does not open; says which and with which key, never the value."""


def derive_key(master: bytes, purpose: str) -> bytes:
    """32 bytes for one purpose, from one entry of ENCRYPTION_KEYS."""
    return HKDF(SHA256(), length=32, salt=None, info=f"purelymanage {purpose}".encode()).derive(
        master
    )


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
def _keyring(entries: tuple[str, ...]) -> dict[str, AESGCM]:
    """Key id → cipher, the one that encrypts first."""
    masters = [decode_key(entry) for entry in entries]
    return {
        derive_key(master, "key id")[:4].hex(): AESGCM(derive_key(master, "fields"))
        for master in masters
    }


def keyring() -> dict[str, AESGCM]:
    """The ciphers of the configured keys, by id; the first one encrypts."""
    return _keyring(tuple(settings.ENCRYPTION_KEYS))


def encrypt(plaintext: str, *, bound_to: str) -> str:
    """The envelope for `plaintext`, which opens only with the same `bound_to`."""
    key_id, cipher = next(iter(keyring().items()))
    nonce = secrets.token_bytes(NONCE_BYTES)
    sealed = nonce + cipher.encrypt(nonce, plaintext.encode(), bound_to.encode())
    return f"{VERSION}.{key_id}.{base64.urlsafe_b64encode(sealed).decode()}"


def decrypt(envelope: str, *, bound_to: str) -> str:
    """What `encrypt` was given. Raises DecryptionError naming the place and the key id."""
    version, _dot, rest = envelope.partition(".")
    key_id, _dot, payload = rest.partition(".")
    cipher = keyring().get(key_id)
    if version != VERSION or cipher is None:
        raise DecryptionError(f"{bound_to}: no key {key_id!r} among ENCRYPTION_KEYS.")
    try:
        sealed = base64.urlsafe_b64decode(payload)
        opened = cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound_to.encode())
    except (InvalidTag, ValueError):
        raise DecryptionError(
            f"{bound_to}: changed or moved since key {key_id} sealed it."
        ) from None
    return opened.decode()


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
            return str(value)
        if isinstance(value, Secret):
            if value.bound_to == self.field.bound_to(instance):
                return value.envelope
            value = value.reveal() if value else ""
        return encrypt(value, bound_to=self.field.bound_to(instance)) if value else ""


class Envelope(str):
    """A ciphertext on its way from the database, as opposed to a plain secret being assigned."""

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

    def pre_save(self, model_instance: models.Model, add: bool) -> str:  # noqa: FBT001  Django's signature
        return Envelope(model_instance.__dict__[self.attname])

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
