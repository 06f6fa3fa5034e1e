"""The one door to PurelyMail: `get_client()` and its operations."""

from __future__ import annotations

import os
import threading

from django.conf import settings

from purelymanage.purelymail.operations.account import AccountOperations
from purelymanage.purelymail.operations.app_passwords import AppPasswordOperations
from purelymanage.purelymail.operations.domains import DomainOperations
from purelymanage.purelymail.operations.recovery import RecoveryOperations
from purelymanage.purelymail.operations.routing import RoutingOperations
from purelymanage.purelymail.operations.users import UserOperations
from purelymanage.purelymail.transport import Patience, Transport
from purelymanage.purelymail.types import Hidden

PATIENCE = Patience()
_local = threading.local()


class PurelyMailClient(
    AccountOperations,
    DomainOperations,
    UserOperations,
    RecoveryOperations,
    RoutingOperations,
    AppPasswordOperations,
):
    """One method per operation, keyword-only; returns our records and raises our errors."""

    def __init__(self, *, url: str, token: str, patience: Patience | None = None) -> None:
        secret = Hidden(token=token)
        del token  # a traceback with local variables must not show it
        super().__init__(Transport(url=url, secret=secret, patience=patience or PATIENCE))

    def close(self) -> None:
        """Let go of the connection."""
        self._transport.close()


def get_client() -> PurelyMailClient:
    """The client of this process and thread: connections are shared with nobody, forks included."""
    key = (os.getpid(), PATIENCE, settings.PURELYMAIL_API_URL, hash(settings.PURELYMAIL_API_TOKEN))
    if getattr(_local, "key", None) != key:
        _local.client = PurelyMailClient(
            url=settings.PURELYMAIL_API_URL, token=settings.PURELYMAIL_API_TOKEN
        )
        _local.key = key
    client: PurelyMailClient = _local.client
    return client
