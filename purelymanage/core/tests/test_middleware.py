"""Where a request comes from."""

from __future__ import annotations

import pytest
from django.test import RequestFactory

from purelymanage.core.middleware import client_address


@pytest.mark.parametrize(
    ("trusted", "remote", "forwarded", "address"),
    [
        ([], "192.0.2.7", "", "192.0.2.7"),
        ([], "192.0.2.7", "203.0.113.9", "192.0.2.7"),
        (["127.0.0.1"], "192.0.2.7", "203.0.113.9", "192.0.2.7"),
        (["127.0.0.1"], "127.0.0.1", "203.0.113.9", "203.0.113.9"),
        (["127.0.0.1"], "127.0.0.1", "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        (["127.0.0.1", "10.0.0.0/8"], "127.0.0.1", "203.0.113.9, 10.1.2.3", "203.0.113.9"),
        (["127.0.0.1"], "127.0.0.1", "", "127.0.0.1"),
        (["127.0.0.1"], "127.0.0.1", "10.0.0.1'; --", ""),
        (["::1"], "::1", "2001:db8::7", "2001:db8::7"),
        (["unix"], "", "203.0.113.9", "203.0.113.9"),
        ([], "", "203.0.113.9", ""),
    ],
)
def test_only_named_proxies_are_believed(settings, trusted, remote, forwarded, address):
    settings.TRUSTED_PROXIES = trusted
    headers = {"x-forwarded-for": forwarded} if forwarded else {}
    request = RequestFactory(headers=headers).get("/", REMOTE_ADDR=remote)
    assert client_address(request) == address
