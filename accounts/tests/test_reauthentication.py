"""Before what is dangerous the panel asks once more who is there."""

from __future__ import annotations

import json
import re
import time
from datetime import timedelta
from urllib.parse import urlencode

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from accounts.sessions.reauthentication import KEPT
from accounts.tests.asking import ASK, PEOPLE, confirm, late, newest, role_of
from accounts.tests.factors import code_now, give_app, give_codes, give_passkey
from audit.actions import Action
from audit.models import Entry
from conftest import PASSWORD
from purelymanage.core.roles import Role
from purelymanage.tests.audited import walk

pytestmark = pytest.mark.django_db

ASK_PASSKEY = "/accounts/2fa/webauthn/reauthenticate/"
ASK_CODE = "/accounts/2fa/reauthenticate/"

ASKING = {
    # People
    "accounts:person_invite",
    "accounts:invitation_send",
    "accounts:invitation_revoke",
    "accounts:person",
    "accounts:person_remove",
    "accounts:person_restore",
    "accounts:person_sessions_end",
    "accounts:factor_reset",
    # The panel
    "accounts:factor_policy",
    "accounts:purelymail_test",
    "deletions:freeze",
    "deletions:freeze_undo",
    "accounts:session_end",
    "accounts:sessions_end",
    # One's own second factors
    "mfa_activate_totp",
    "mfa_deactivate_totp",
    "mfa_add_webauthn",
    "mfa_edit_webauthn",
    "mfa_remove_webauthn",
    "mfa_view_recovery_codes",
    "mfa_generate_recovery_codes",
    # What shows a secret
    "mailboxes:password_reset",
    "mailboxes:app_password_add",
    "mailboxes:batches:passwords",
    # What leads to a new password without the panel
    "mailboxes:recovery_add",
    "mailboxes:recovery_edit",
}
ABOUT_PEOPLE = "settings/people/"
ONLY_LOOKED_AT = {"accounts:people"}


# Which addresses ask


def test_these_addresses_ask():
    asking = {
        name
        for name, _route, item in walk.addresses()
        if getattr(item.callback, "asks_again", False)
    }
    assert asking >= ASKING, f"{', '.join(sorted(ASKING - asking))}: @reauthentication_required"


def test_whatever_is_about_people_asks():
    for name, route, item in walk.addresses():
        if route.startswith(ABOUT_PEOPLE) and name not in ONLY_LOOKED_AT:
            assert getattr(item.callback, "asks_again", False), (
                f"{route} is about people: put @reauthentication_required below its role"
            )


# Asking


def test_a_page_asks_and_leads_back_to_it(owner, viewer):
    client = late(owner)
    page = f"{PEOPLE}{viewer.pk}/?tab=role"
    answer = client.get(page)
    assert answer["Location"] == f"{ASK}?{urlencode({'next': page}, safe='/')}"
    asked = client.get(answer["Location"]).content.decode()
    assert "Confirm that it is you" in asked
    answer = confirm(client, page)
    assert (answer.status_code, answer["Location"]) == (302, page)
    assert client.get(page).status_code == 200
    entry = newest()
    assert (entry.action, entry.target) == (Action.IDENTITY_CONFIRMED, owner.email)
    assert entry.after == {"by": "password"}


def test_it_is_remembered_for_15_minutes_and_asked_again_after_them(owner, viewer):
    page = f"{PEOPLE}{viewer.pk}/"
    start = timezone.now()
    with time_machine.travel(start, tick=False) as clock:
        client = late(owner)
        assert client.get(page).status_code == 302
        confirm(client, page)
        clock.shift(timedelta(minutes=14, seconds=59))
        assert client.get(page).status_code == 200
        clock.shift(timedelta(seconds=1))
        assert client.get(page)["Location"].startswith(ASK)


def test_a_confirmation_from_the_future_counts_for_nothing(owner):
    client = late(owner)
    confirm(client, PEOPLE)
    session = client.session
    session["account_authentication_methods"][-1]["at"] = time.time() + 3600
    session.save()
    assert client.get(f"{PEOPLE}new/").status_code == 302


def test_signing_in_counts(client, owner):
    client.post("/accounts/login/", {"login": owner.email, "password": PASSWORD})
    assert client.get(f"{PEOPLE}new/").status_code == 200


def test_strangers_and_the_wrong_role_are_not_asked(client, admin):
    assert client.get(f"{PEOPLE}new/")["Location"].startswith("/accounts/login/")
    assert late(admin).get(f"{PEOPLE}new/").status_code == 403
    assert client.get(ASK)["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"],
)
def test_next_never_leads_away(owner, elsewhere):
    assert confirm(late(owner), elsewhere)["Location"] == "/"


def test_a_referrer_elsewhere_leads_nowhere(owner, viewer):
    client = late(owner)
    answer = client.post(
        f"{PEOPLE}{viewer.pk}/remove/", headers={"Referer": "https://evil.example/x"}
    )
    assert answer["Location"] == f"{ASK}?next=/"


# Ways to confirm


def test_a_wrong_password_is_on_record_and_confirms_nothing(owner):
    client = late(owner)
    answer = confirm(client, f"{PEOPLE}new/", "wrong")
    assert answer.status_code == 422
    assert "This is not your password." in answer.content.decode()
    assert client.get(f"{PEOPLE}new/").status_code == 302
    entry = newest()
    assert (entry.action, entry.target) == (Action.IDENTITY_NOT_CONFIRMED, owner.email)
    assert (entry.outcome.result, entry.actor_id) == ("refused", owner.pk)
    assert not Entry.objects.filter(action=Action.SIGN_IN_FAILED).exists()


def test_a_code_of_the_app_confirms(owner):
    give_app(owner)
    client = late(owner)
    assert ASK_CODE in client.get(ASK).content.decode()
    assert client.get(ASK_CODE).status_code == 200
    wrong = client.post(ASK_CODE, {"code": "000000", "next": f"{PEOPLE}new/"})
    assert wrong.status_code == 422
    assert Entry.objects.filter(action=Action.IDENTITY_NOT_CONFIRMED).count() == 1
    answer = client.post(ASK_CODE, {"code": code_now(), "next": f"{PEOPLE}new/"})
    assert answer["Location"] == f"{PEOPLE}new/"
    assert client.get(f"{PEOPLE}new/").status_code == 200
    assert Entry.objects.get(action=Action.IDENTITY_CONFIRMED).after == {"by": "code"}


def test_a_recovery_code_confirms_once(owner):
    give_app(owner)
    code = give_codes(owner)[0]
    client = late(owner)
    assert client.post(ASK_CODE, {"code": code, "next": "/"}).status_code == 302
    assert client.get(f"{PEOPLE}new/").status_code == 200
    assert late(owner).post(ASK_CODE, {"code": code, "next": "/"}).status_code == 422


def asked_of(page: str) -> dict:
    """What a page asks a passkey for."""
    found = re.search(r'<script id="passkey-options"[^>]*>(.*?)</script>', page, re.DOTALL)
    options: dict = json.loads(found[1])["request_options"]
    return options


def test_a_passkey_confirms_and_does_what_waits(owner, viewer):
    client = late(owner, SERVER_NAME="localhost")
    page = f"{PEOPLE}{viewer.pk}/"
    assert ASK_PASSKEY not in client.get(ASK).content.decode()
    passkey = give_passkey(owner)
    assert ASK_PASSKEY in client.get(ASK).content.decode()
    client.post(page, {"role": "admin"}, headers={"Referer": f"http://localhost{page}"})
    asked = asked_of(client.get(ASK_PASSKEY).content.decode())
    answer = client.post(ASK_PASSKEY, {"credential": json.dumps(passkey.get(asked)), "next": page})
    assert answer["Location"] == PEOPLE
    assert role_of(viewer) == Role.ADMIN
    confirmed = Entry.objects.get(action=Action.IDENTITY_CONFIRMED)
    assert confirmed.after == {"by": "passkey"}


def test_a_passkey_of_somebody_else_confirms_nothing(owner, viewer):
    give_passkey(owner)
    theirs = give_passkey(viewer)
    client = late(owner, SERVER_NAME="localhost")
    asked = asked_of(client.get(ASK_PASSKEY).content.decode())
    answer = client.post(ASK_PASSKEY, {"credential": json.dumps(theirs.get(asked)), "next": "/"})
    assert answer.status_code == 422
    assert client.get(f"{PEOPLE}new/").status_code == 302
    assert newest().action == Action.IDENTITY_NOT_CONFIRMED


def test_somebody_elses_password_and_code_confirm_nothing(owner, viewer):
    viewer.set_password("another password of nine")
    viewer.save()
    give_app(viewer)
    give_app(owner).delete()
    assert confirm(late(owner), "/", "another password of nine").status_code == 422


def test_a_stolen_session_cannot_guess_without_end(owner, settings):
    settings.RATE_LIMITS = True
    cache.clear()
    start = timezone.now()
    with time_machine.travel(start, tick=False) as clock:
        answers = [confirm(late(owner), "/", f"guess {number}") for number in range(11)]
        assert [answer.status_code for answer in answers] == [422] * 10 + [429]
        assert "Try again in 15 minutes." in answers[-1].content.decode()
        assert answers[-1]["Retry-After"] == "900"
        assert confirm(late(owner), "/").status_code == 429
        passed = 10
        for _quarter in range(24 * 4 - 2):
            clock.shift(timedelta(minutes=15, seconds=1))
            passed += confirm(late(owner), "/", "wrong").status_code == 422
            for number in range(9 if passed < 95 else 1):
                passed += confirm(late(owner), "/", f"{number}").status_code == 422
        assert passed == 100
    cache.clear()


def test_the_form_for_a_new_password_gives_it_no_more_guesses(owner, settings):
    settings.RATE_LIMITS = True
    cache.clear()
    new = {"password1": "seven purple walls", "password2": "seven purple walls"}
    client = late(owner)
    guesses = [{"oldpassword": f"guess {number}", **new} for number in range(6)]
    answers = [client.post("/accounts/password/change/", guess) for guess in guesses]
    assert [answer.status_code for answer in answers] == [422] * 6
    answers = [confirm(client, "/", f"guess {number}") for number in range(6, 11)]
    assert [answer.status_code for answer in answers] == [422] * 4 + [429]
    assert Entry.objects.filter(action=Action.IDENTITY_NOT_CONFIRMED).count() == 10
    cache.clear()


def test_htmx_is_led_to_the_page_and_back_to_where_it_was(admin, purelymail):
    client = late(admin)
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/settings/purelymail/?a=1"}
    answer = client.post("/settings/purelymail/test/", headers=headers)
    assert answer["HX-Redirect"] == f"{ASK}?next=/settings/purelymail/%3Fa%3D1"
    assert KEPT not in client.session
    assert confirm(client, "/settings/purelymail/?a=1")["Location"] == "/settings/purelymail/?a=1"
    assert client.post("/settings/purelymail/test/", headers=headers).status_code == 200


def test_allauths_own_pages_ask_in_the_same_way(owner):
    client = late(owner)
    page = "/accounts/2fa/totp/activate/"
    assert client.get(page)["Location"] == f"{ASK}?next={page}"
    client.post(page, {"code": "123456"})
    assert "123456" not in str(dict(client.session))
    confirm(client, page)
    assert client.get(page).status_code == 200


def test_what_allauth_asks_by_itself_keeps_no_secret_either(owner, monkeypatch):
    """Its own way would put cookies and all that was typed into the session."""
    client = Client()
    client.force_login(owner)
    monkeypatch.setattr("accounts.entrance.adapter.recently_authenticated", lambda _request: False)
    page = "/accounts/2fa/totp/activate/"
    assert client.get(page)["Location"] == f"{ASK}?next={page}"
    client.post(page, {"code": "123456"})
    session = str(dict(client.session))
    assert "123456" not in session
    assert "HTTP_COOKIE" not in session
