"""What happens before settings are complete: the demo's own keys."""

from __future__ import annotations

import base64
import json
import os
import secrets
from pathlib import Path
from typing import Any


def new_encryption_key() -> str:
    """32 random bytes, base64: one entry of ENCRYPTION_KEYS."""
    return base64.b64encode(secrets.token_bytes(32)).decode()


def demo_keys(path: Path) -> dict[str, Any]:
    """The keys of this installation's demo mode, made on first use and kept in a private file."""
    if not path.exists():
        keys = {
            "SECRET_KEY": secrets.token_urlsafe(50),
            "ENCRYPTION_KEYS": [new_encryption_key()],
            "PURELYMAIL_API_TOKEN": secrets.token_urlsafe(32),
        }
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(keys))
        try:
            os.link(draft, path)  # the first of several starters wins
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    loaded: dict[str, Any] = json.loads(path.read_text())
    return loaded
