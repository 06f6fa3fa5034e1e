"""The seal of a row: its link to all that came before, and a code only holders of a key can make.

`link` = SHA-256 of the previous row's link and code, and of this row's canonical bytes. Anybody can
compute it. `mac` = HMAC-SHA256 of position and link, by a key that is not in the database.

Whoever appends has checked the code of the row before. Where that did not hold, or its key is not
known any more, the new row says so in its code: it does not vouch for what came before it. Without
that, a forger could rewrite rows under the name of a retired key and wait for us to build on them.
docs/audit.md has the format for those who check it with tools of their own.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from ipaddress import ip_address
from typing import Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder

from purelymanage.crypto import Purpose, derived_keys

NOTHING = "0" * 64
SEAL = ("link", "mac")
"""What the canonical bytes leave out, because it is made from them."""


@dataclass(frozen=True)
class Seal:
    """Where a row stands and what ties it there. Links and codes are 64 hexadecimal digits."""

    position: int = 0
    link: str = NOTHING
    mac: str = NOTHING
    key_id: str = ""


START = Seal()
"""What the very first row is tied to."""


def known_keys() -> dict[str, bytes]:
    """Key id → key; the first one seals, all of them verify."""
    entries = (*settings.AUDIT_KEYS, *settings.ENCRYPTION_KEYS)
    return derived_keys(entries, Purpose.AUDIT_CHAIN)


def plain(value: Any) -> Any:
    """What every database gives back as it was: JSON without NaN, one form of each number."""
    return json.loads(
        json.dumps(value, cls=DjangoJSONEncoder), parse_float=_number, parse_constant=str
    )


def _number(text: str) -> int | float:
    """PostgreSQL keeps 1e16 as 10000000000000000 and knows no minus zero."""
    exact = Decimal(text)
    return int(exact) if exact == exact.to_integral_value() else float(text)


def canonical(table: str, values: Mapping[str, Any]) -> bytes:
    """The same bytes for the same row, whatever database and Python it comes from.

    A column without a value is left out, so that one added later changes no older row.
    """
    content = {
        name: _canonical_value(name, value)
        for name, value in values.items()
        if name not in SEAL and value is not None
    }
    return json.dumps({"row": table, **content}, sort_keys=True, separators=(",", ":")).encode()


def _canonical_value(name: str, value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if name == "address":
        return ip_address(value).packed.hex()
    return value


def link_after(previous: Seal, content: bytes) -> str:
    """The link of the row with these canonical bytes, where it follows `previous`."""
    return hashlib.sha256(_bytes(previous.link) + _bytes(previous.mac) + content).hexdigest()


def _bytes(digest: str) -> bytes:
    """Of something else, which we never wrote, there are none."""
    try:
        return bytes.fromhex(digest)
    except ValueError:
        return b""


def mac_of(key: bytes, position: int, link: str, *, vouches: bool) -> str:
    """The code of a row, which also says whether it vouches for everything before it."""
    text = f"{position}:{link}" if vouches else f"{position}:{link}:alone"
    return hmac.digest(key, text.encode(), "sha256").hex()


def is_ours(seal: Seal) -> bool:
    """Whether a known key made this seal, for this position."""
    key = known_keys().get(seal.key_id)
    return key is not None and seal.mac in (
        mac_of(key, seal.position, seal.link, vouches=True),
        mac_of(key, seal.position, seal.link, vouches=False),
    )


def sealing_key_id() -> str:
    """The key under which we write now."""
    return next(iter(known_keys()))


def code_of_note(key_id: str, facts: bytes) -> str | None:
    """The code of a note that is no row of the log; None where its key is not known."""
    key = known_keys().get(key_id)
    return None if key is None else hmac.digest(key, facts, "sha256").hex()
