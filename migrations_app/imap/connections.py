"""The way to a host: looked up once, judged, then connected to. Knows no Django.

What is connected to is the address that was judged, so that a name server which answers otherwise
the second time (DNS rebinding) gains nothing; TLS still verifies the name.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from purelymanage.core.hosts import is_near, is_open_to_people

MAX_ADDRESSES = 4
LOOKUP_SECONDS = 10.0


class LookupTimeoutError(OSError):
    """The resolver gave no answer, or none in time; it may in a moment."""


class OffLimitsError(OSError):
    """An address that people may not aim the panel at."""


class TooFarError(OSError):
    """A password would leave the private network in the clear."""


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
            is_silent = isinstance(error, socket.gaierror) and error.errno == socket.EAI_AGAIN
            self.error = LookupTimeoutError(f"no answer about {self.host}") if is_silent else error
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
