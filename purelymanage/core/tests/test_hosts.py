"""Where people may aim the panel at: public addresses and private networks, in every spelling."""

from __future__ import annotations

import pytest

from purelymanage.core.hosts import is_near, is_open_to_people, names_this_machine

pytestmark = pytest.mark.once

OPEN = [
    "9.9.9.9",
    "2620:fe::fe",
    "10.1.2.3",
    "172.16.0.1",
    "172.31.255.254",
    "192.168.1.10",
    "fd00::25",
    "fc00::1",
    "::ffff:10.0.0.5",
    "::ffff:9.9.9.9",
    "64:ff9b::9.9.9.9",
    "64:ff9b::a00:5",
    "2002:909:909::1",
]
CLOSED = [
    "127.0.0.1",
    "127.255.255.254",
    "::1",
    "0.0.0.0",
    "0.1.2.3",
    "::",
    "169.254.169.254",
    "169.254.0.1",
    "fe80::1",
    "fe80::1%eth0",
    "febf::1",
    "fec0::1",
    "224.0.0.1",
    "239.255.255.250",
    "ff02::1",
    "255.255.255.255",
    "240.0.0.1",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "192.0.2.1",
    "198.18.0.1",
    "fd00:ec2::254",
    "fd20:ce::254",
    "2001:db8::1",
    "100::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:0:127.0.0.1",
    "64:ff9b::127.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a9fe:a9fe",
    "2002:7f00:1::1",
    "2002:a9fe:a9fe::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "no address",
    "",
    "0177.0.0.1",
    "2130706433",
    "0x7f000001",
]


@pytest.mark.parametrize("address", OPEN)
def test_public_and_private_addresses_are_open(address: str) -> None:
    assert is_open_to_people(address)


@pytest.mark.parametrize("address", CLOSED)
def test_this_machine_its_link_and_what_is_no_host_are_closed(address: str) -> None:
    assert not is_open_to_people(address)


@pytest.mark.parametrize(
    ("address", "near"),
    [
        ("127.0.0.1", True),
        ("10.1.2.3", True),
        ("100.64.0.9", True),
        ("fd00::1", True),
        ("fe80::1%eth0", True),
        ("::1", True),
        ("::ffff:10.0.0.5", True),
        ("9.9.9.9", False),
        ("2620:fe::fe", False),
        ("224.0.0.1", False),
        ("::ffff:9.9.9.9", False),
        ("2002:909:909::1", False),
        ("64:ff9b::9.9.9.9", False),
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", False),
        ("64:ff9b:1::1", False),
    ],
)
def test_near_addresses_are_told_from_far_ones(address: str, near: bool) -> None:
    assert is_near(address) is near


@pytest.mark.parametrize(
    ("host", "is_here"),
    [
        ("localhost", True),
        ("LOCALHOST.", True),
        ("imap.localhost", True),
        ("localhost.localdomain", True),
        ("localhost6.localdomain6", True),
        ("ip6-loopback", True),
        ("localhost.example.com", False),
        ("mylocalhost", False),
        ("imap.example.com", False),
    ],
)
def test_names_of_this_machine_are_known(host: str, is_here: bool) -> None:
    assert names_this_machine(host) is is_here
