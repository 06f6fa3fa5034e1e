"""Where passkeys work: each belongs to a domain, which is that of BASE_URL."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _

from purelymanage.core.hosts import is_loopback, parse_ip

LOCALHOST = "localhost"
"""The one name that browsers give passkeys to without https."""


def domain() -> str:
    """The domain that passkeys are bound to; `localhost` where BASE_URL is this machine."""
    host = urlsplit(settings.BASE_URL).hostname or ""
    return LOCALHOST if is_loopback(host) else host


def home() -> str:
    """The address of the panel at which passkeys work, if they do anywhere."""
    site = urlsplit(settings.BASE_URL)
    port = f":{site.port}" if site.port else ""
    return f"{site.scheme}://{domain()}{port}"


def obstacle(request: HttpRequest) -> str:
    """Why a page of this request cannot use passkeys; empty where it can."""
    if parse_ip(domain()):
        return _("Passkeys need a domain name. The address of this panel is a number.")
    if domain() != LOCALHOST and not settings.HTTPS:
        return _("Passkeys need https. The address of this panel has none.")
    if _hostname(request) != domain():
        return _("Passkeys do not work at this address. Open %(url)s to use them.") % {
            "url": home()
        }
    return ""


def is_ours(origin: object) -> bool:
    """Whether a page at `origin` is one of the panel's own; a subdomain is somebody else's."""
    return isinstance(origin, str) and urlsplit(origin).hostname == domain()


def _hostname(request: HttpRequest) -> str:
    return urlsplit(f"//{request.get_host()}").hostname or ""
