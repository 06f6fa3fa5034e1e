"""What every answer says to the browser, and what no header of a request can bring about."""

from __future__ import annotations

import json
import re

import pytest
from django.test import Client, override_settings

from conftest import PASSWORD
from purelymanage import settings as real_settings

pytestmark = pytest.mark.django_db

POLICY = "Content-Security-Policy"
PAGES = ["/", "/accounts/login/", "/nowhere/", "/mailboxes/", "/admin/"]


@pytest.mark.parametrize("path", PAGES)
def test_every_page_says_what_a_browser_may_do_with_it(owner_client, path):
    """OWASP ASVS 4.0, V14.4."""
    headers = owner_client.get(path).headers
    policy = dict(rule.split(" ", 1) for rule in headers[POLICY].split("; "))
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "font-src": "'self'",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["X-Permitted-Cross-Domain-Policies"] == "none"
    assert headers["Content-Type"] in ("text/html; charset=utf-8", "text/html; charset=UTF-8")
    assert "camera=()" in headers["Permissions-Policy"]


def test_the_policy_can_be_tried_without_blocking(client, settings, owner):
    settings.CSP_REPORT_ONLY = True
    headers = client.get("/accounts/login/").headers
    assert POLICY not in headers
    assert "script-src 'self'" in headers[f"{POLICY}-Report-Only"]
    assert headers["X-Frame-Options"] == "DENY"


@override_settings(
    SECURE_SSL_REDIRECT=True, SECURE_HSTS_SECONDS=31536000, SECURE_HSTS_INCLUDE_SUBDOMAINS=True
)
def test_browsers_are_told_to_stay_on_https(client, owner):
    answer = client.get("/accounts/login/", secure=True)
    assert answer["Strict-Transport-Security"].startswith("max-age=31536000; includeSubDomains")
    assert client.get("/accounts/login/")["Location"].startswith("https://")


def test_cookies_are_for_the_server_alone(client, admin):
    client.post("/accounts/login/", {"login": admin.email, "password": PASSWORD})
    assert {"sessionid", "csrftoken", "known"} <= set(client.cookies)
    for name in ("sessionid", "csrftoken", "known"):
        assert client.cookies[name]["httponly"], name
        assert client.cookies[name]["samesite"] == "Lax", name


# Host


@pytest.mark.parametrize("host", ["evil.example", "testserver.evil.example", "a\\b", "x:y:z"])
def test_a_name_that_is_not_ours_is_answered_with_nothing_but_a_refusal(owner, host):
    answer = Client(headers={"host": host}, raise_request_exception=False).get("/accounts/login/")
    assert answer.status_code == 400
    assert "evil" not in answer.content.decode()


def test_what_a_proxy_says_about_the_host_is_not_read(client, admin, settings):
    settings.TRUSTED_PROXIES = ["127.0.0.1"]
    forwarded = {"x-forwarded-host": "evil.example", "x-forwarded-port": "81"}
    assert client.get("/mailboxes/", headers=forwarded)["Location"].startswith("/accounts/login/")
    page = client.get("/accounts/login/", headers=forwarded).content.decode()
    assert "evil.example" not in page
    assert not getattr(real_settings, "USE_X_FORWARDED_HOST", False)


# Redirects

ELSEWHERE = [
    "https://evil.example/",
    "//evil.example/",
    "///evil.example/",
    "/\\evil.example",
    "\\\\evil.example",
    "http:evil.example",
    "https:/evil.example",
    "javascript:alert(1)",
    " //evil.example",
    "/\t/evil.example",
]


@pytest.mark.parametrize("url", ELSEWHERE)
def test_no_next_leads_to_another_site(admin_client, admin, url):
    stranger = Client()
    typed = {"login": admin.email, "password": PASSWORD}
    answers = [
        stranger.post("/accounts/login/", {**typed, "next": url}),
        admin_client.get("/accounts/login/", {"next": url}),
        admin_client.post("/theme/", {"theme": "dark", "next": url}),
        admin_client.post("/keys/", {"next": url}),
        admin_client.post("/accounts/reauthenticate/", {"password": PASSWORD, "next": url}),
        admin_client.post("/accounts/logout/", {"next": url}),
    ]
    for answer in answers:
        assert answer.status_code in (200, 302, 303)
        assert "evil" not in answer.get("Location", ""), answer.request["PATH_INFO"]
        assert "javascript" not in answer.get("Location", "")


# Forgery


def test_htmx_sends_the_token_of_the_page_with_whatever_it_posts(owner):
    browser = Client(enforce_csrf_checks=True)
    page = browser.get("/accounts/login/").content.decode()
    (token,) = re.findall(r"<body hx-headers='\{\"X-CSRFToken\": \"(\w+)\"\}'>", page)
    told = {"HX-Request": "true", "X-CSRFToken": token}
    answer = browser.post("/password-strength/", {"password": "x"}, headers=told)
    assert answer.status_code == 200
    bare = browser.post("/password-strength/", {"password": "x"}, headers={"HX-Request": "true"})
    assert bare.status_code == 403


def test_a_page_left_open_over_a_new_sign_in_keeps_what_was_typed(admin):
    browser = Client(enforce_csrf_checks=True)

    def token(path: str) -> str:
        page = browser.get(path).content.decode()
        return re.search(r'X-CSRFToken": "(\w+)"', page)[1]

    old = token("/accounts/login/")
    typed = {"login": admin.email, "password": PASSWORD, "csrfmiddlewaretoken": old}
    assert browser.post("/accounts/login/", typed).status_code == 302
    answer = browser.post(
        "/theme/", {"theme": "dark"}, headers={"HX-Request": "true", "X-CSRFToken": old}
    )
    assert (answer.status_code, answer["HX-Reswap"], answer.content) == (403, "none", b"")
    (toast,) = json.loads(answer["HX-Trigger"])["toasts"]["toasts"]
    assert toast["text"].startswith("Nothing was changed: somebody signed in or out")
    plain = browser.post("/theme/", {"theme": "dark", "csrfmiddlewaretoken": old})
    assert plain.status_code == 403
    assert "This form has expired" in plain.content.decode()
