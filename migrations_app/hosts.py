"""Host names as people type them, and which hosts are near enough to go without encryption."""

from __future__ import annotations

import ipaddress
import re
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

MAX_HOST = 253
LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
LOOKUP_SECONDS = 10.0


class LookupTimeoutError(OSError):
    """The resolver gave no answer in time."""


def clean_host(text: str) -> str:
    """`IMAP.Example.COM.` → `imap.example.com`; raises ValidationError with a sentence."""
    host = text.strip().lower()
    _refuse_addresses_of_other_kinds(host)
    host = host.removeprefix("[").removesuffix("]").removesuffix(".")
    if _is_ip(host):
        return str(ipaddress.ip_address(host))
    with suppress(UnicodeError):  # the labels below say what is wrong
        host = host.encode("idna").decode()
    labels = host.split(".")
    looks_like_ip = labels[-1].isdecimal()
    if len(host) > MAX_HOST or looks_like_ip or not all(map(LABEL.fullmatch, labels)):
        raise ValidationError(
            _("This is not a host name or IP address. Write it like imap.example.com.")
        )
    return host


def _refuse_addresses_of_other_kinds(host: str) -> None:
    if "://" in host:
        scheme = host.partition("://")[0]
        raise ValidationError(_("Leave out “%(scheme)s://”.") % {"scheme": scheme})
    if "/" in host:
        raise ValidationError(_("Leave out the slash and what follows it."))
    if "@" in host:
        raise ValidationError(_("This is an e-mail address. Enter the host of its IMAP server."))
    if re.fullmatch(r"[^:]+:\d*|\[.*\]:\d*", host):
        raise ValidationError(_("Leave out the port here; it has a field of its own."))


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


@dataclass
class _Lookup:
    """One call of the resolver, in a thread of its own because it knows no time limit."""

    host: str
    port: int
    addresses: list[str] = field(default_factory=list)
    error: OSError | None = None

    def run(self) -> None:
        try:
            found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        except OSError as error:
            self.error = error
        except UnicodeError:
            self.error = socket.gaierror(socket.EAI_NONAME, "not a host name")
        else:
            self.addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))


def look_up(host: str, port: int, *, seconds: float = LOOKUP_SECONDS) -> list[str]:
    """The IP addresses of `host`. Raises socket.gaierror or LookupTimeoutError."""
    lookup = _Lookup(host, port)
    thread = threading.Thread(target=lookup.run, name=f"look up {host}", daemon=True)
    thread.start()
    thread.join(seconds)
    if lookup.error:
        raise lookup.error
    if thread.is_alive() or not lookup.addresses:
        raise LookupTimeoutError(f"no answer about {host}")
    return lookup.addresses


def is_near(address: str) -> bool:
    """Whether an IP address is this machine's own or a private network's."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    return not ip.is_global and not ip.is_multicast


def is_near_host(host: str, port: int) -> bool:
    """Whether every address of `host` is near; False when it cannot be looked up."""
    try:
        return all(map(is_near, look_up(host, port, seconds=3)))
    except OSError:
        return False
