"""The tabs of the settings pages. Apps above this one register theirs in `AppConfig.ready`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Tab:
    """A sub-page of Settings; tabs stand by `order`, then in the order they came."""

    label: Any
    url_name: str
    order: int
    also: str = ""
    """Where pages begin that belong to it and stand elsewhere."""

    def is_current(self, path: str) -> bool:
        """Whether `path` is this page or one below it."""
        if self.also and path.startswith(self.also):
            return True
        url = reverse(self.url_name)
        return path == url or (path.startswith(url) and url != reverse(HOME))


HOME = "accounts:settings"
_tabs = [
    Tab(_("Account"), HOME, 10, also="/accounts/password/"),
    Tab(_("Security"), "mfa_index", 15, also="/accounts/2fa/"),
    Tab(_("People"), "accounts:people", 20),
    Tab(_("Sessions"), "accounts:sessions", 30),
    Tab(_("Audit log"), "audit:list", 40),
    Tab(_("PurelyMail"), "accounts:purelymail", 50),
    Tab(_("Notifications"), "accounts:notifications", 55),
    Tab(_("About"), "accounts:about", 90),
]


def register_tab(label: Any, url_name: str, order: int) -> None:
    """Add a page to the tabs of Settings. Registering it again changes nothing."""
    tab = Tab(label, url_name, order)
    if tab.url_name not in {known.url_name for known in _tabs}:
        _tabs.append(tab)


def settings_tabs() -> list[Tab]:
    """All tabs in their order."""
    return sorted(_tabs, key=lambda tab: tab.order)
