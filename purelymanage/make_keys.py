"""Prints a good SECRET_KEY and ENCRYPTION_KEYS for `.env`; needs no settings.

.venv/bin/python -m purelymanage.make_keys >> .env
"""

import secrets
import sys

from purelymanage.core.startup import new_encryption_key


def make_keys() -> str:
    """Two lines, ready for `.env`."""
    return f"SECRET_KEY={secrets.token_urlsafe(50)}\nENCRYPTION_KEYS={new_encryption_key()}\n"


if __name__ == "__main__":
    sys.stdout.write(make_keys())
