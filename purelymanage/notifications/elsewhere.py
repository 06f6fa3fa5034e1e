"""The one door to Apprise, which knows how to reach chats, phones and webhooks.

Its addresses are secrets: nothing here says more of one than which service it is for. Apprise is
loaded by the worker that sends and by the check of the settings alone: it takes a second.
"""

from __future__ import annotations

import logging

from apprise import Apprise, AppriseAsset, NotifyBase, NotifyFormat, PersistentStoreMode

logger = logging.getLogger(__name__)

SECONDS = 20
"""The longest that one service is waited for."""


def is_known(url: str) -> bool:
    """Whether Apprise can make something of this address; nothing is sent."""
    return _service(url) is not None


def deliver(url: str, *, title: str, text: str) -> bool:
    """Send `text` to an address; False if that was not possible now."""
    try:
        service = _service(url)
        if service is None:
            return False
        apprise = Apprise(asset=_asset())
        apprise.add(service)
        return bool(apprise.notify(body=text, title=title, body_format=NotifyFormat.TEXT))
    except Exception as error:  # noqa: BLE001  a hundred plugins: each fails in its own way
        logger.warning("A service of NOTIFY_URLS failed: %s", type(error).__name__)
        return False


def _service(url: str) -> NotifyBase | None:
    found = Apprise.instantiate(url, asset=_asset(), suppress_exceptions=True)
    return found if isinstance(found, NotifyBase) else None


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
