"""Host names as people type them, and the way to them: looked up once, judged, then connected to.

What is connected to is the address that was judged, so that a name server which answers otherwise
the second time (DNS rebinding) gains nothing; TLS still verifies the name.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from purelymanage.core.hosts import is_near, is_open_to_people, names_this_machine

MAX_HOST = 253
MAX_ADDRESSES = 4
ENDS_LIKE_IP = re.compile(r"[0-9]+|0x[0-9a-f]*")
LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
LOOKUP_SECONDS = 10.0
PLACE_SECONDS = 5.0


class LookupTimeoutError(OSError):
    """The resolver gave no answer in time."""


class OffLimitsError(OSError):
    """An address that people may not aim the panel at."""


class TooFarError(OSError):
    """A password would leave the private network in the clear."""


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
    looks_like_ip = bool(ENDS_LIKE_IP.fullmatch(labels[-1]))
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


def judge(addresses: Sequence[str], *, allows_local: bool, in_plain: bool) -> None:
    """Whether a connection may go to any of `addresses`; one that may not spoils them all.

    Raises OffLimitsError, and TooFarError where a password would travel unencrypted.
    """
    if not allows_local and not all(map(is_open_to_people, addresses)):
        raise OffLimitsError("off limits: on this machine or its own link")
    if in_plain and not all(map(is_near, addresses)):
        raise TooFarError("not on a private network, and not encrypted")


def connect(addresses: Sequence[str], port: int, *, seconds: float) -> socket.socket:
    """A connection to one of the first four `addresses`. Raises the OSError of the last."""
    addresses = addresses[:MAX_ADDRESSES]
    ends_at = time.monotonic() + seconds
    for left, address in zip(range(len(addresses), 0, -1), addresses, strict=True):
        limit = max(0.1, (ends_at - time.monotonic()) / left)
        try:
            return socket.create_connection((address, port), limit)
        except OSError:
            if left == 1:
                raise
    raise LookupTimeoutError("no address to connect to")


def host_problem(host: str) -> str:
    """Why a host may not be named at all, empty if nothing is known against it."""
    is_local = names_this_machine(host) or (_is_ip(host) and not is_open_to_people(host))
    if settings.IMAP_ALLOW_LOCAL or not is_local:
        return ""
    return _(
        "%(host)s is this machine, or an address that is no mail server's. Name another host; "
        "the operator of the panel may allow it with IMAP_ALLOW_LOCAL."
    ) % {"host": host}


def port_problem(port: int) -> str:
    """Why a port may not be used, empty if it may."""
    if settings.IMAP_ALLOW_LOCAL or port in settings.IMAP_PORTS:
        return ""
    ports = [str(number) for number in settings.IMAP_PORTS]
    return _("Use port %(ports)s; the operator of the panel may allow others in IMAP_PORTS.") % {
        "ports": _(" or ").join(ports)
    }


def place_problem(host: str, port: int, *, in_plain: bool) -> str:
    """Why nothing may connect there now, empty if it may. For programs that look up themselves.

    A name that cannot be looked up here might be by them a moment later, so it is refused as well.
    """
    if problem := host_problem(host) or port_problem(port):
        return problem
    if settings.IMAP_ALLOW_LOCAL and not in_plain:
        return ""
    try:
        judge(
            look_up(host, port, seconds=PLACE_SECONDS),
            allows_local=settings.IMAP_ALLOW_LOCAL,
            in_plain=in_plain,
        )
    except OffLimitsError:
        return off_limits(host)
    except TooFarError:
        return too_far(host)
    except OSError:
        return _(
            "The name %(host)s cannot be looked up. Check how it is written, then run it again."
        ) % {"host": host}
    return ""


def off_limits(host: str) -> str:
    """The sentence for a name that leads where the panel does not go."""
    return _(
        "%(host)s leads to this machine or its own link, where the panel does not connect. "
        "Name another host; the operator of the panel may allow it with IMAP_ALLOW_LOCAL."
    ) % {"host": host}


def too_far(host: str) -> str:
    """The sentence for a server without encryption out on the internet."""
    return _(
        "%(host)s is not on a private network, so the password would cross the internet "
        "in the clear. Choose TLS or STARTTLS."
    ) % {"host": host}


def is_near_host(host: str, port: int) -> bool:
    """Whether every address of `host` is near; False when it cannot be looked up."""
    try:
        return all(map(is_near, look_up(host, port, seconds=3)))
    except OSError:
        return False
