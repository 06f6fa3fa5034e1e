"""The one door to Apprise, which knows how to reach chats, phones and webhooks.

Its addresses are secrets: nothing here says more of one than which service it is for. Apprise is
loaded by the worker that sends and by the check of the settings alone: it takes a second.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager

from apprise import (
    Apprise,
    AppriseAsset,
    NotifyBase,
    NotifyFormat,
    OverflowMode,
    PersistentStoreMode,
)
from django.utils.translation import gettext as _

logger = logging.getLogger(__name__)

SECONDS = 20
"""The longest that one service is waited for."""
_STATUS = re.compile(r"\berror=([1-5]\d\d)\b")
_UNREACHED = re.compile(r"connection error|timed? ?out", re.IGNORECASE)
"""In what Apprise's plugins say of a service that answers badly, or not at all."""


def is_known(url: str) -> bool:
    """Whether Apprise can make something of this address; nothing is sent."""
    return _service(url) is not None


def deliver(url: str, *, title: str, text: str) -> str:
    """Send `text` to an address. Why it was not taken, in a sentence; empty if it was."""
    try:
        service = _service(url)
        if service is None:
            return _("Apprise can make nothing of this address.")
        _cut_to_fit(service)
        apprise = Apprise(asset=_asset())
        apprise.add(service)
        with _listening() as said:
            taken = apprise.notify(body=text, title=title, body_format=NotifyFormat.TEXT)
        return "" if taken else _why(said)
    except Exception as error:  # noqa: BLE001  a hundred plugins: each fails in its own way
        logger.warning("A service of NOTIFY_URLS failed: %s", type(error).__name__)
        return _("The service cannot be reached as this address says.")


def _why(said: list[str]) -> str:
    """A sentence of ours: what Apprise says may hold parts of the address."""
    text = "\n".join(said)
    if status := _STATUS.search(text):
        words = _("The service answered with status %(status)s.")
        return words % {"status": status[1]}
    if _UNREACHED.search(text):
        return _("No connection to the service, or no answer in time.")
    return _("The service did not take it.")


class _Ear(logging.Handler):
    def __init__(self, said: list[str]) -> None:
        super().__init__(logging.WARNING)
        self.said = said

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())


@contextmanager
def _listening() -> Iterator[list[str]]:
    """What Apprise says of a failure, which it tells its log alone; it goes no further."""
    library = logging.getLogger("apprise")
    said: list[str] = []
    ear, level, propagates = _Ear(said), library.level, library.propagate
    library.addHandler(ear)
    library.setLevel(logging.WARNING)
    library.propagate = False
    try:
        yield said
    finally:
        library.propagate = propagates
        library.setLevel(level)
        library.removeHandler(ear)


def _service(url: str) -> NotifyBase | None:
    found = Apprise.instantiate(url, asset=_asset(), suppress_exceptions=True)
    return found if isinstance(found, NotifyBase) else None


def _cut_to_fit(service: NotifyBase) -> None:
    """A service refuses what is too long for it, and the mail has all; the address may say else."""
    if service.overflow_mode == OverflowMode.UPSTREAM:
        service.overflow_mode = OverflowMode.TRUNCATE


def _asset() -> AppriseAsset:
    """It writes nothing to the disk and loads no code from there."""
    return AppriseAsset(
        app_id="PurelyManage",
        app_desc="PurelyManage",
        plugin_paths=[],
        storage_mode=PersistentStoreMode.MEMORY,
        service_timeout=SECONDS,
        allow_templates=False,  # what is between braces in a name stays what it is
    )
