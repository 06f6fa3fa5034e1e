"""IP addresses and host names, as sockets, headers and settings spell them."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

PRIVATE = tuple(map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")))
METADATA = tuple(
    map(ip_network, ("192.0.0.0/24", "168.63.129.16/32", "fd00:ec2::/32", "fd20:ce::/32"))
)
"""Where clouds hand their machines credentials, beside the link-local networks."""
GLOBAL_UNICAST, NAT64 = ip_network("2000::/3"), ip_network("64:ff9b::/96")
LOCAL_NAMES = re.compile(
    r"(.+\.)?localhost|localhost[46]?(\.localdomain[46]?)?|ip6-(localhost|loopback)"
)


def parse_ip(text: str) -> IPv4Address | IPv6Address | None:
    """The IP address a text spells, if it does; IPv4 written as IPv6 is IPv4."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def is_loopback(host: str) -> bool:
    """Whether a host name or IP address is this machine itself."""
    address = parse_ip(host)
    return host == "localhost" or (address is not None and address.is_loopback)


def parse_endpoint(text: str, *, port: int) -> tuple[str, int] | None:
    """`1.1.1.1`, `1.1.1.1:5353`, `::1` or `[::1]:5353` as address and port, `port` if not named."""
    if parse_ip(text):
        return text, port
    try:
        parts = urlsplit(f"//{text}")
        host, number = parts.hostname or "", port if parts.port is None else parts.port
    except ValueError:
        return None
    is_plain = parts.netloc == text and "@" not in text
    return (host, number) if is_plain and parse_ip(host) and number else None


def destination_of(text: str) -> IPv4Address | IPv6Address | None:
    """Whom packets to an IP address reach in the end: the IPv4 in 6to4 and NAT64 ones counts."""
    address = parse_ip(text.partition("%")[0])
    if isinstance(address, IPv6Address):
        if address in NAT64:
            return IPv4Address(int(address) & 0xFFFFFFFF)
        return address.sixtofour or address
    return address


def is_open_to_people(text: str) -> bool:
    """Whether a person may have the panel connect to this IP address.

    Public ones and private networks, where old servers stand. Not this machine, its link with the
    metadata services of clouds, or what is no single host.
    """
    address = destination_of(text)
    if address is None or any(address in network for network in METADATA):
        return False
    if any(address in network for network in PRIVATE):
        return True
    if isinstance(address, IPv6Address) and address not in GLOBAL_UNICAST:
        return False
    return address.is_global and not address.is_multicast


def is_near(text: str) -> bool:
    """Whether an IP address is this machine's own or a private network's."""
    address = destination_of(text)
    if isinstance(address, IPv4Address):
        return not address.is_global and not address.is_multicast
    return address is not None and (
        address.is_loopback or address.is_link_local or any(address in net for net in PRIVATE)
    )


def names_this_machine(host: str) -> bool:
    """Whether a host name means this machine by itself, whatever a name server says."""
    return bool(LOCAL_NAMES.fullmatch(host.lower().removesuffix(".")))
