"""A passkey in memory, for tests without a browser: it signs what a server asks it to."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import (
    AttestationObject,
    AttestedCredentialData,
    AuthenticatorData,
    CollectedClientData,
)

Flag = AuthenticatorData.FLAG


@dataclass
class SoftPasskey:
    """Made for one domain; `verifies` is whether it checks the person."""

    origin: str = "http://localhost:8000"
    domain: str = "localhost"
    verifies: bool = True
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    id: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    person: str = ""

    def create(self, options: dict[str, Any]) -> dict[str, Any]:
        """The answer to `navigator.credentials.create`."""
        asked = options["publicKey"]
        self.person = asked["user"]["id"]
        public_key = ES256.from_cryptography_key(self.key.public_key())
        credential = AttestedCredentialData.create(bytes(16), self.id, public_key)
        data = self._data(Flag.AT, credential)
        client_data = CollectedClientData.create("webauthn.create", asked["challenge"], self.origin)
        response = {
            "clientDataJSON": websafe_encode(client_data),
            "attestationObject": websafe_encode(AttestationObject.create("none", data, {})),
        }
        return self._answer(response) | {"clientExtensionResults": {"credProps": {"rk": True}}}

    def get(self, options: dict[str, Any], **changed: Any) -> dict[str, Any]:
        """The answer to `navigator.credentials.get`, with some of its response changed."""
        challenge = options["publicKey"]["challenge"]
        client_data = CollectedClientData.create("webauthn.get", challenge, self.origin)
        data = self._data(Flag(0))
        signature = self.key.sign(data + client_data.hash, ec.ECDSA(SHA256()))
        response = {
            "clientDataJSON": websafe_encode(client_data),
            "authenticatorData": websafe_encode(data),
            "signature": websafe_encode(signature),
            "userHandle": self.person,
        }
        return self._answer(response | changed)

    def _data(self, more: AuthenticatorData.FLAG, credential: bytes = b"") -> AuthenticatorData:
        flags = Flag.UP | more | (Flag.UV if self.verifies else Flag(0))
        hashed = hashlib.sha256(self.domain.encode()).digest()
        return AuthenticatorData.create(hashed, flags, 0, credential)

    def _answer(self, response: dict[str, str]) -> dict[str, Any]:
        mine = websafe_encode(self.id)
        return {
            "id": mine,
            "rawId": mine,
            "type": "public-key",
            "response": response,
            "clientExtensionResults": {},
        }
