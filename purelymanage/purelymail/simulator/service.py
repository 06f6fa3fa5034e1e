"""The simulated service behind its HTTP server: one account, its faults, its call counter."""

from __future__ import annotations

import hmac
import json
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from purelymanage.purelymail.simulator import storage
from purelymanage.purelymail.simulator.account import Account
from purelymanage.purelymail.simulator.faults import Fault, FaultBox
from purelymanage.purelymail.simulator.operations import OPERATIONS
from purelymanage.purelymail.simulator.requests import ApiError, Body

READS = ("check", "get", "list")
TOKEN_HEADER = "Purelymail-Api-Token"  # noqa: S105  a header's name


class Service:
    """Everything the simulator knows. One lock: operations happen one after another."""

    def __init__(
        self,
        *,
        token: str,
        new_account: Callable[[], Account] = Account,
        state_file: Path | None = None,
    ) -> None:
        self.faults = FaultBox()
        self.closing = threading.Event()
        self.lock = threading.RLock()
        self.token = token
        self._calls: Counter[str] = Counter()
        self._new_account = new_account
        self._state_file = state_file
        kept = state_file is not None and state_file.exists()
        self.account = storage.load(state_file) if state_file and kept else new_account()
        self.save()

    @property
    def calls(self) -> Counter[str]:
        """How often each operation was called so far, faults included."""
        with self.lock:
            return Counter(self._calls)

    def reset(self) -> None:
        """Begin anew: the first account, no faults, no calls counted."""
        with self.lock:
            self.account = self._new_account()
            self.faults.clear()
            self._calls.clear()
            self.save()

    def save(self) -> None:
        """Keep the account where a state file was asked for."""
        if self._state_file is not None:
            with self.lock:
                storage.save(self.account, self._state_file)

    def count(self, operation: str) -> Fault | None:
        """Note a call, and hand out the fault that strikes it."""
        with self.lock:
            self._calls[operation] += 1
        return self.faults.take(operation)

    def perform(self, operation: str, content: bytes, token: str | None) -> dict[str, Any]:
        """The answer to one call; failures are answers too."""
        try:
            self._check(token)
            body = Body(_parsed(content))
            with self.lock:
                result = OPERATIONS[operation](self.account, body)
                if not operation.startswith(READS):
                    self.save()
        except ApiError as error:
            return {"type": "error", "code": error.code, "message": error.message}
        return {"type": "success", "result": result}

    def state(self) -> dict[str, Any]:
        """The account for inspection, without any password."""
        with self.lock:
            state = asdict(self.account)
            state["owned"] = sorted(self.account.owned)
        for user in state["users"].values():
            del user["password"]
            user["app_passwords"] = len(user["app_passwords"])
        return state

    def _check(self, token: str | None) -> None:
        if token is None:
            raise ApiError("invalidToken", f"Token must be supplied in {TOKEN_HEADER} header")
        if not hmac.compare_digest(token.encode(), self.token.encode()):
            raise ApiError("invalidToken", "Token not valid.")


def _parsed(content: bytes) -> object:
    try:
        return json.loads(content)
    except ValueError:
        raise ApiError("invalidRequest", "The request body is not JSON") from None
