"""The one-time code that proves, on a public address, that whoever sets up can read the log.

It is derived from SECRET_KEY, so every process knows it and nothing is stored. It ends with the
set-up page itself: once there is an account, nobody asks for it again.
"""

from __future__ import annotations

import base64
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare, salted_hmac

from accounts.models import User
from purelymanage.core.hosts import is_loopback
from purelymanage.core.middleware import client_address

GROUP = 4
LENGTH = 12  # of base32: 60 bits
PROXY_HEADERS = ("X-Forwarded-For", "X-Real-IP", "Forwarded", "Via")


def setup_code() -> str:
    """The code of this installation, such as `KX4T-93QD-M2AB` in base32."""
    digest = salted_hmac("accounts.setup_code", "owner", algorithm="sha256").digest()
    letters = base64.b32encode(digest).decode()[:LENGTH]
    return "-".join(letters[start : start + GROUP] for start in range(0, LENGTH, GROUP))


def is_setup_code(text: str) -> bool:
    """Whether `text` is the code, however it was grouped or typed."""
    typed = "".join(text.split()).replace("-", "").upper()
    return constant_time_compare(typed, setup_code().replace("-", ""))


def needs_code(request: HttpRequest) -> bool:
    """Whether this request, or the installation as such, can be reached from elsewhere."""
    hosts = [request.get_host(), urlsplit(settings.BASE_URL).netloc]
    return (
        bool(settings.TRUSTED_PROXIES)
        or any(header in request.headers for header in PROXY_HEADERS)
        or not is_loopback(client_address(request))
        or not all(is_loopback(urlsplit(f"//{host}").hostname or "") for host in hosts)
    )


def announcement() -> str:
    """The line for the start-up log; empty once there is an account."""
    if User.objects.exists():
        return ""
    return f"Set up the panel at {settings.BASE_URL}/setup/ with the code {setup_code()}"
