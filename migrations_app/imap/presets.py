"""IMAP servers of well-known providers, to fill the server form with."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from migrations_app.models import Security

APP_PASSWORD = _("Needs an app password, made in the settings of that account.")


@dataclass(frozen=True)
class Preset:
    """One provider; `note` says what its users trip over."""

    key: str
    name: str
    host: str
    note: str | Promise = ""
    port: int = 993
    security: str = Security.TLS
    bytes_per_second: int | None = None
    """What the provider bears with, for each mailbox by itself."""
    bytes_per_day: int | None = None


PRESETS = {
    preset.key: preset
    for preset in (
        Preset("purelymail", "PurelyMail", "imap.purelymail.com"),
        Preset(
            "gmail",
            "Gmail",
            "imap.gmail.com",
            _("Needs two-step verification and an app password, made in the Google account."),
            bytes_per_second=40_000,
            bytes_per_day=2_500_000_000,
        ),
        Preset(
            "microsoft365",
            "Microsoft 365",
            "outlook.office365.com",
            _(
                "Microsoft switched off passwords for IMAP: the server refuses every one of them. "
                "Export the mailbox, or move it by way of a server that takes passwords."
            ),
        ),
        Preset("yahoo", "Yahoo", "imap.mail.yahoo.com", APP_PASSWORD),
        Preset("icloud", "iCloud", "imap.mail.me.com", APP_PASSWORD),
        Preset(
            "zoho",
            "Zoho",
            "imap.zoho.com",
            _(
                "IMAP access must be switched on in Zoho's settings. "
                "Accounts in Europe use imap.zoho.eu, paid ones imappro.zoho.com."
            ),
        ),
        Preset("fastmail", "Fastmail", "imap.fastmail.com", APP_PASSWORD),
        Preset(
            "yandex",
            "Yandex",
            "imap.yandex.com",
            _("IMAP must be switched on in Yandex Mail, and it needs an app password."),
        ),
        Preset(
            "cpanel",
            "cPanel or Dovecot",
            "",
            _("Enter the host your provider names, often mail. before the domain."),
        ),
    )
}


def hint_for(host: str) -> str | Promise:
    """What users of this host's provider trip over when a password is refused; may be empty."""
    return next((preset.note for preset in PRESETS.values() if preset.host == host), "")


def is_purelymail(host: str, port: int) -> bool:
    """Whether the mailboxes there are the ones of our own PurelyMail account."""
    place = urlsplit(settings.PURELYMAIL_IMAP_URL)
    return (host.lower(), port) == (place.hostname, place.port)
