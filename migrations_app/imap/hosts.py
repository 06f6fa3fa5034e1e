"""Host names as people type them, and in a sentence why the panel does not connect to some."""

from __future__ import annotations

import ipaddress
import re
from contextlib import suppress

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.text import get_text_list
from django.utils.translation import gettext as _

from migrations_app.imap.connections import (
    LookupTimeoutError,
    OffLimitsError,
    TooFarError,
    judge,
    look_up,
)
from purelymanage.core.errors import UnavailableError
from purelymanage.core.hosts import is_near, is_open_to_people, names_this_machine

MAX_HOST = 253
ENDS_LIKE_IP = re.compile(r"[0-9]+|0x[0-9a-f]*")
LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
PLACE_SECONDS = 5.0


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
        "ports": get_text_list(ports, _("or"))
    }


def place_problem(host: str, port: int, *, in_plain: bool) -> str:
    """Why nothing may connect there now, empty if it may. For programs that look up themselves.

    A name that cannot be looked up here might be by them a moment later, so it is refused as well.
    Raises UnavailableError where no name server answers, which passes.
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
    except LookupTimeoutError:
        raise UnavailableError(no_answer(host)) from None
    except OSError:
        return _(
            "The name %(host)s cannot be looked up. Check how it is written, then run it again."
        ) % {"host": host}
    return ""


def no_answer(host: str) -> str:
    """The sentence for a name that might be looked up in a moment."""
    return _(
        "The name server gave no answer about %(host)s. Try again in a minute; "
        "if it stays so, look at the DNS resolver of this machine."
    ) % {"host": host}


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
