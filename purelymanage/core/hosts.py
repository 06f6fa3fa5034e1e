"""IP addresses and host names, as sockets, headers and settings spell them."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address


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
