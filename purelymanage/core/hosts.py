"""IP addresses and host names, as sockets, headers and settings spell them."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit


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
