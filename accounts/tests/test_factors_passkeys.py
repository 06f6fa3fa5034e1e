"""Passkeys: added, shown as a second step, signing in alone, refused where they must be."""

from __future__ import annotations

import json
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from fido2.utils import websafe_decode, websafe_encode

from accounts.factors import passkeys
from accounts.tests.second_steps import (
    ADD_PASSKEY,
    HERE,
    LOGIN,
    PAGE,
    SECOND_STEP,
    SIGN_IN_PASSKEY,
    add_passkey,
    is_signed_in,
    options_in,
    password_right,
    sign_in_with,
)
from accounts.tests.soft_passkey import SoftPasskey
from audit.actions import Action
from audit.models import Entry

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_cache")]
REFUSED = "This passkey was not accepted."


@pytest.fixture
def passkey(admin, admin_client) -> SoftPasskey:
    """One that Adam has added."""
    made = SoftPasskey()
    assert add_passkey(admin_client, made).status_code == 302
    return made


def second_step(client: Client, passkey: SoftPasskey):
    options = options_in(client.get(SECOND_STEP, **HERE))
    credential = json.dumps(passkey.get(options))
    return client.post(SECOND_STEP, {"credential": credential}, **HERE)


# Adding, renaming, removing


def test_adding_asks_for_one_that_knows_and_checks_its_person(admin_client):
    asked = options_in(admin_client.get(ADD_PASSKEY, **HERE))["publicKey"]
    assert asked["authenticatorSelection"]["residentKey"] == "required"
    assert asked["authenticatorSelection"]["userVerification"] == "required"
    assert asked["rp"] == {"id": "localhost", "name": "PurelyManage"}


def test_it_stands_in_the_list_and_on_record(admin_client, passkey):
    page = admin_client.get(PAGE, **HERE).content.decode()
    assert "Laptop" in page
    assert "Rename Laptop" in page
    entry = Entry.objects.get(action=Action.FACTOR_ADDED)
    assert entry.target == "Passkey “Laptop”"


@pytest.mark.parametrize(
    "odd",
    [
        SoftPasskey(verifies=False),
        SoftPasskey(origin="http://evil.localhost:8000"),
        SoftPasskey(origin="https://evil.example"),
        SoftPasskey(origin="http://127.0.0.1:8000"),
        SoftPasskey(domain="evil.example"),
    ],
    ids=["unverified", "subdomain", "other site", "number", "other domain"],
)
def test_what_was_made_elsewhere_or_checks_nobody_is_not_added(admin_client, odd):
    response = add_passkey(admin_client, odd)
    assert response.status_code == 422
    assert REFUSED in response.content.decode()
    assert not Authenticator.objects.exists()


def test_renaming_is_on_record(admin_client, passkey):
    row = Authenticator.objects.get(type="webauthn")
    url = f"/accounts/2fa/webauthn/{row.pk}/edit/"
    assert admin_client.post(url, {"name": ""}).status_code == 422
    assert admin_client.post(url, {"name": "x" * 61}).status_code == 422
    response = admin_client.post(url, {"name": "Desk"})
    assert (response.status_code, response["Location"]) == (302, PAGE)
    row.refresh_from_db()
    assert row.wrap().name == "Desk"
    entry = Entry.objects.get(action=Action.FACTOR_RENAMED)
    assert (entry.before, entry.after) == ({"name": "Laptop"}, {"name": "Desk"})


def test_removing_takes_the_recovery_codes_along(admin_client, passkey):
    row = Authenticator.objects.get(type="webauthn")
    url = f"/accounts/2fa/webauthn/{row.pk}/remove/"
    assert "Remove Laptop?" in admin_client.get(url).content.decode()
    response = admin_client.post(url)
    assert (response.status_code, response["Location"]) == (302, PAGE)
    assert not Authenticator.objects.exists()
    assert sign_in_with(Client(), passkey).status_code == 302
    assert Entry.objects.filter(action=Action.FACTOR_REMOVED).count() == 2


@pytest.mark.parametrize("page", ["edit", "remove"])
def test_other_peoples_passkeys_are_out_of_reach(owner_client, passkey, page):
    row = Authenticator.objects.get(type="webauthn")
    url = f"/accounts/2fa/webauthn/{row.pk}/{page}/"
    assert owner_client.get(url).status_code == 404
    assert owner_client.post(url, {"name": "Mine"}).status_code == 404
    assert Authenticator.objects.filter(type="webauthn").exists()


# Opening


def test_it_signs_in_without_a_password(admin, passkey):
    client = Client()
    response = sign_in_with(client, passkey)
    assert (response.status_code, response["Location"]) == (302, "/")
    assert client.session["_auth_user_id"] == str(admin.pk)
    assert Entry.objects.filter(action=Action.SIGNED_IN, actor_id=admin.pk).count() == 1


def test_it_is_a_second_step(admin, passkey):
    client = password_right(admin)
    assert not is_signed_in(client)
    assert second_step(client, passkey).status_code == 302
    assert is_signed_in(client)


def test_an_answer_opens_once(admin, passkey):
    client = Client()
    kept: list[Any] = []
    sign_in_with(client, passkey, lambda answer: kept.append(answer) or answer)
    assert is_signed_in(client)
    again = Client()
    sign_in_with(again, passkey, lambda _answer: kept[0])
    assert not is_signed_in(again)


def test_whoever_was_removed_is_not_let_in(admin, passkey):
    type(admin).objects.update(is_active=False)
    client = Client()
    response = sign_in_with(client, passkey)
    assert response["Location"] == LOGIN
    assert "You were removed from this panel" in client.get(LOGIN).content.decode()
    assert not is_signed_in(client)
    assert not Entry.objects.filter(action=Action.SIGNED_IN).exists()
    assert Entry.objects.get(action=Action.FACTOR_FAILED).target == admin.email
    assert Authenticator.objects.get(type="webauthn").last_used_at is None


@pytest.mark.parametrize(
    "changes",
    [
        {"origin": "http://evil.localhost:8000"},
        {"origin": "https://evil.example"},
        {"domain": "evil.example"},
        {"verifies": False},
    ],
    ids=str,
)
def test_what_was_signed_elsewhere_or_by_nobody_opens_nothing(admin, passkey, changes):
    for name, value in changes.items():
        setattr(passkey, name, value)
    client = Client()
    response = sign_in_with(client, passkey)
    assert response["Location"] == LOGIN
    assert REFUSED in client.get(LOGIN).content.decode()
    assert not is_signed_in(client)
    client = password_right(admin)
    response = second_step(client, passkey)
    assert response.status_code == 422
    assert REFUSED in response.content.decode()
    assert not is_signed_in(client)
    assert Entry.objects.filter(action=Action.FACTOR_FAILED).count() == 2


def test_it_opens_nobody_elses_account(owner, owner_client, passkey):
    foreign = websafe_encode(b"%d" % owner.pk)
    client = Client()
    sign_in_with(client, passkey, lambda answer: _changed(answer, userHandle=foreign))
    assert not is_signed_in(client)
    add_passkey(owner_client, SoftPasskey())
    client = password_right(owner)
    assert second_step(client, passkey).status_code == 422
    assert not is_signed_in(client)


def _changed(answer: dict[str, Any], **response: Any) -> dict[str, Any]:
    return answer | {"response": answer["response"] | response}


DEEP = "[" * 100_000


def _signed(text: str) -> dict[str, Any]:
    return {"response": {"clientDataJSON": websafe_encode(text.encode())}}


HOSTILE = [
    None,
    0,
    "x",
    [],
    {},
    {"response": None},
    {"response": {}},
    {"response": {"clientDataJSON": 5}},
    {"response": {"clientDataJSON": "%%%%é"}},
    _signed("null"),
    _signed("[]"),
    _signed("{}"),
    _signed('{"origin": 5}'),
    _signed('{"origin": "http://[::1"}'),
    _signed('{"origin": "http://localhost:8000"}'),
    _signed("[" * 100_000),
    DEEP,
]


@pytest.mark.parametrize("answer", HOSTILE, ids=lambda answer: repr(answer)[:40])
def test_what_no_browser_sends_is_refused(admin, admin_client, passkey, answer):
    client = Client()
    assert sign_in_with(client, passkey, lambda _answer: answer).status_code == 302
    client = password_right(admin)
    client.get(SECOND_STEP, **HERE)
    sent = {"credential": answer if answer is DEEP else json.dumps(answer)}
    assert client.post(SECOND_STEP, sent, **HERE).status_code == 422
    admin_client.get(ADD_PASSKEY, **HERE)
    assert admin_client.post(ADD_PASSKEY, sent, **HERE).status_code == 422
    assert not is_signed_in(client)


PARTS = ["clientDataJSON", "authenticatorData", "signature", "userHandle"]
ODD = ["", "AA", "AAAA", 7, None, {}, [], "é", websafe_encode(b"9" * 30), websafe_encode(b"\xff")]


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_a_part_that_is_forged_is_refused(passkey, part, odd):
    client = Client()
    assert sign_in_with(client, passkey, lambda a: _changed(a, **{part: odd})).status_code == 302
    assert not is_signed_in(client)


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_an_attestation_that_is_forged_is_refused(admin_client, odd):
    made = SoftPasskey()
    options = options_in(admin_client.get(ADD_PASSKEY, **HERE))
    credential = _changed(made.create(options), attestationObject=odd)
    sent = {"credential": json.dumps(credential)}
    assert admin_client.post(ADD_PASSKEY, sent, **HERE).status_code == 422


def test_every_byte_of_an_attestation_may_be_wrong(admin_client, admin):
    made = SoftPasskey()
    options = options_in(admin_client.get(ADD_PASSKEY, **HERE))
    good = made.create(options)
    whole = websafe_decode(good["response"]["attestationObject"])
    for place in range(0, len(whole), 3):
        forged = bytearray(whole)
        forged[place] ^= 0xFF
        credential = _changed(good, attestationObject=websafe_encode(bytes(forged[: place + 40])))
        sent = {"credential": json.dumps(credential)}
        assert admin_client.post(ADD_PASSKEY, sent, **HERE).status_code in (302, 422)


# Where they work


@pytest.mark.parametrize(
    ("base_url", "domain"),
    [
        ("http://127.0.0.1:8000", "localhost"),
        ("http://localhost:8000", "localhost"),
        ("http://[::1]:8000", "localhost"),
        ("https://panel.example.org", "panel.example.org"),
        ("https://PANEL.example.org:8443", "panel.example.org"),
    ],
)
def test_they_belong_to_the_domain_of_the_setting(settings, base_url, domain):
    settings.BASE_URL = base_url
    assert passkeys.domain() == domain


@pytest.mark.parametrize("host", ["evil.localhost", "localhost:9", "127.0.0.1"])
def test_a_host_header_does_not_choose_the_domain(admin_client, settings, host):
    settings.ALLOWED_HOSTS = ["*"]
    settings.BASE_URL = "https://panel.example.org"
    settings.HTTPS = True
    asked = Client().get(SIGN_IN_PASSKEY, headers={"Accept": "application/json"}, HTTP_HOST=host)
    assert asked.json()["request_options"]["publicKey"]["rpId"] == "panel.example.org"


@pytest.mark.parametrize(
    ("base_url", "https", "host", "sentence"),
    [
        ("http://127.0.0.1:8000", False, "localhost:8000", ""),
        ("http://127.0.0.1:8000", False, "127.0.0.1:8000", "Open http://localhost:8000"),
        ("http://192.168.1.5:8000", False, "192.168.1.5:8000", "need a domain name"),
        ("http://panel.lan", False, "panel.lan", "need https"),
        ("https://panel.example.org", True, "panel.example.org", ""),
        ("https://panel.example.org", True, "localhost", "Open https://panel.example.org"),
    ],
)
def test_a_page_says_where_they_do_not_work(rf, settings, base_url, https, host, sentence):
    settings.ALLOWED_HOSTS = ["*"]
    settings.BASE_URL, settings.HTTPS = base_url, https
    found = passkeys.obstacle(rf.get("/", HTTP_HOST=host))
    assert sentence in found
    assert bool(found) is bool(sentence)


def test_the_sign_in_page_has_the_button_only_where_it_works(owner):
    there = Client().get(LOGIN, **HERE).content.decode()
    assert "Sign in with a passkey" in there
    elsewhere = Client().get(LOGIN, HTTP_HOST="127.0.0.1:8000").content.decode()
    assert "Sign in with a passkey" not in elsewhere
    assert "Open http://localhost:8000 to use them." in elsewhere
