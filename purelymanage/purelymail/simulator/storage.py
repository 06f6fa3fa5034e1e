"""The simulated account in a JSON file, so that a restart of the demo keeps what was done."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from purelymanage.purelymail.simulator.account import (
    Account,
    Dns,
    Method,
    SimDomain,
    SimRule,
    SimUser,
)


def save(account: Account, path: Path) -> None:
    """Replace the file at once; only we may read it."""
    state = asdict(account) | {"owned": sorted(account.owned)}
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(state, indent=1))
    draft.replace(path)


def load(path: Path) -> Account:
    """The account as last saved; raises ValueError where the file is not one of ours."""
    try:
        state = json.loads(path.read_text())
        return _account(state)
    except (TypeError, KeyError, AttributeError, ValueError) as error:
        raise ValueError(f"{path} does not hold a simulated account: {error}") from error


def _account(state: dict[str, Any]) -> Account:
    nested = {
        "domains": {
            name: SimDomain(**{**entry, "seen": Dns(**entry["seen"])})
            for name, entry in state["domains"].items()
        },
        "users": {
            address: SimUser(**{**entry, "methods": [Method(**one) for one in entry["methods"]]})
            for address, entry in state["users"].items()
        },
        "rules": {int(number): SimRule(**entry) for number, entry in state["rules"].items()},
        "dns": {name: Dns(**entry) for name, entry in state["dns"].items()},
        "owned": set(state["owned"]),
    }
    return Account(**{**state, **nested})
