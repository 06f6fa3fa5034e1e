"""New passwords for mailboxes: from a cryptographic source, without modulo bias."""

from __future__ import annotations

import secrets
import string

from purelymanage.core.redaction import note

LENGTH = 20
ALPHABET = string.ascii_letters + string.digits + "@#%"
MIN_LENGTH = 8
MAX_LENGTH = 200


def generate_password() -> str:
    """20 characters from letters, digits and `@#%`; `secrets.choice` draws without bias."""
    return note("".join(secrets.choice(ALPHABET) for _ in range(LENGTH)))
