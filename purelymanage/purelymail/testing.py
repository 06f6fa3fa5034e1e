"""The `purelymail` fixture: the real client against the simulator, over HTTP, without waiting."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from pytest_django import Settings

from purelymanage.purelymail import client
from purelymanage.purelymail.client import PurelyMailClient, get_client
from purelymanage.purelymail.simulator.account import Account
from purelymanage.purelymail.simulator.faults import EVERY_OPERATION, Fault, Kind
from purelymanage.purelymail.simulator.server import SimulatorServer
from purelymanage.purelymail.simulator.service import Service
from purelymanage.purelymail.transport import Patience

TOKEN = "test-token"  # noqa: S105  the simulator's


def on_the_wire(faults: Iterable[str]) -> list[Any]:
    """Parameters of a test that meets each of these faults; on PostgreSQL one stands for all.

    It is the hardest: what was done and never answered. No database knows how an answer was lost.
    """
    rest = pytest.mark.once
    return [pytest.param(one, marks=() if one == "drop_after" else rest) for one in faults]


class SimulatedPurelyMail:
    """The simulator as a test sees it."""

    def __init__(self, server: SimulatorServer, monkeypatch: pytest.MonkeyPatch) -> None:
        self.server = server
        self.url = server.url
        self.token = TOKEN
        self.pauses: list[float] = []
        """What the client would have slept."""
        self._monkeypatch = monkeypatch
        self._set_patience(Patience(sleep=self.pauses.append))

    @property
    def state(self) -> Account:
        """The account: read it, fill it with `add_domain`, `add_user`, `add_rule`, …"""
        return self.server.service.account

    @property
    def client(self) -> PurelyMailClient:
        """What `get_client()` gives."""
        return get_client()

    @property
    def calls(self) -> Counter[str]:
        """How often each operation was called."""
        return self.server.service.calls

    def fault(self, operation: str, kind: Kind, *, times: int | None = 1, **details: Any) -> None:
        """Switch a fault on; `simulator/faults.py` has the kinds and the details."""
        self.server.service.faults.add(Fault(operation, kind, times=times, **details))

    def down(self) -> None:
        """Until `up()`, every call ends with a dropped connection and no effect."""
        self.fault(EVERY_OPERATION, "drop_before", times=None)

    def up(self) -> None:
        """Switch all faults off."""
        self.server.service.faults.clear()

    def give_up_after(self, seconds: float) -> None:
        """Shorten the client's time-outs for this test."""
        self._set_patience(replace(client.PATIENCE, timeout=seconds, slow_timeout=seconds))

    def _set_patience(self, patience: Patience) -> None:
        self._monkeypatch.setattr(client, "PATIENCE", patience)


@pytest.fixture(scope="session")
def purelymail_server() -> Iterator[SimulatorServer]:
    """One simulator for the whole run."""
    server = SimulatorServer(Service(token=TOKEN))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def purelymail(
    purelymail_server: SimulatorServer, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> SimulatedPurelyMail:
    """An empty simulated account that `get_client()` talks to."""
    purelymail_server.service.reset()
    settings.PURELYMAIL_API_URL = purelymail_server.url
    settings.PURELYMAIL_API_TOKEN = TOKEN
    return SimulatedPurelyMail(purelymail_server, monkeypatch)
