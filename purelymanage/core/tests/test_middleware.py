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
        (["127.0.0.1"], "::ffff:127.0.0.1", "203.0.113.9", "203.0.113.9"),
        (["unix"], "", "203.0.113.9", "203.0.113.9"),
        ([], "", "203.0.113.9", ""),
    ],
)
def test_only_named_proxies_are_believed(settings, trusted, remote, forwarded, address):
    settings.TRUSTED_PROXIES = trusted
    headers = {"x-forwarded-for": forwarded} if forwarded else {}
    request = RequestFactory(headers=headers).get("/", REMOTE_ADDR=remote)
    assert client_address(request) == address


@pytest.mark.django_db
@pytest.mark.parametrize(("remote", "status"), [("127.0.0.1", 200), ("192.0.2.7", 301)])
def test_only_named_proxies_are_believed_that_the_way_was_encrypted(
    viewer_client, settings, remote, status
):
    settings.TRUSTED_PROXIES = ["127.0.0.1"]
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.SECURE_SSL_REDIRECT = True
    proxied = {"headers": {"x-forwarded-proto": "https"}, "REMOTE_ADDR": remote}
    assert viewer_client.get("/settings/", **proxied).status_code == status
