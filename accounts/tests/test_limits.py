"""Guessing runs out, and nobody is kept out by the guessing of others."""

from __future__ import annotations

import threading
import time

import pytest
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from django.core.cache import cache, caches
from django.core.cache.backends.db import DatabaseCache
from django.core.management import call_command
from django.db import connection, connections
from django.test import Client

from accounts import tasks
from accounts.tests.test_signing_in import NEW, reset_link
from audit.actions import Action
from audit.models import Entry
from conftest import PASSWORD
from purelymanage import settings as real_settings
from purelymanage.core.rates import RATES

LOGIN = "/accounts/login/"
CODE = "/accounts/2fa/authenticate/"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
RESET = "/accounts/password/reset/"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _limited(settings, monkeypatch):
    """As in production. The clock stands still, so that what is left of a wait is exact."""
    settings.RATE_LIMITS = True
    settings.ACCOUNT_RATE_LIMITS = real_settings.ACCOUNT_RATE_LIMITS
    settings.MFA_RATE_LIMITS = real_settings.MFA_RATE_LIMITS
    cache.clear()


def guess(address: str, *, email: str = "adam@panel.example", password: str = "wrong", **headers):
    """The answer to a stranger at `address`, in a browser that was never here."""
    return Client(REMOTE_ADDR=address, headers=headers).post(
        LOGIN, {"login": email, "password": password}
    )


def lock_out(email: str = "adam@panel.example") -> None:
    for number in range(5):
        assert guess(f"198.51.100.{number}", email=email).status_code == 422


# One account


def test_the_sixth_try_in_five_minutes_is_refused_from_anywhere_with_any_password(
    admin, time_machine
):
    time_machine.move_to("2026-11-20T12:00:00Z", tick=False)
    lock_out()
    time_machine.shift(100)
    refused = guess("203.0.113.9", password=PASSWORD)
    assert refused.status_code == 429
    assert refused["Retry-After"] == "200"
    assert "Wait five minutes" in refused.content.decode()
    time_machine.shift(201)
    assert guess("203.0.113.9", password=PASSWORD).status_code == 302


def test_neither_letters_nor_the_host_header_make_another_account_of_it(admin):
    hosts = ["testserver", "testserver:81", "testserver:82", "localhost", "127.0.0.1:99"]
    for number, host in enumerate(hosts):
        email = " ADAM@panel.example" if number % 2 else "adam@Panel.Example"
        assert guess(f"198.51.100.{number}", email=email, host=host).status_code == 422
    assert guess("203.0.113.9", host="testserver:83").status_code == 429


def test_an_account_that_is_not_there_is_locked_as_one_that_is(admin):
    lock_out("nobody@panel.example")
    lock_out()
    nobody = guess("203.0.113.9", email="nobody@panel.example")
    somebody = guess("203.0.113.9")
    assert nobody.status_code == somebody.status_code == 429
    assert "Too many attempts failed" in nobody.content.decode()
    assert "Too many attempts failed" in somebody.content.decode()


def test_signing_in_rightly_uses_up_nothing(admin):
    for _time in range(8):
        assert guess("203.0.113.9", password=PASSWORD).status_code == 302


def test_codes_have_five_tries_counted_apart_from_passwords(admin, time_machine):
    time_machine.move_to("2026-11-20T12:00:00Z", tick=False)
    TOTP.activate(admin, SECRET)
    right = format_hotp_value(hotp_value(SECRET, int(time.time()) // 30))
    browser = Client()
    browser.post(LOGIN, {"login": admin.email, "password": PASSWORD})
    answers = [browser.post(CODE, {"code": "no code"}).status_code for _ in range(5)]
    assert answers == [422] * 5
    refused = browser.post(CODE, {"code": right})
    assert (refused.status_code, refused["Retry-After"]) == (429, "300")
    assert browser.get("/settings/").status_code == 302
    again = Client()
    again.post(LOGIN, {"login": admin.email, "password": PASSWORD})
    assert again.post(CODE, {"code": right}).status_code == 429


# Nobody is kept out by others


def test_a_browser_that_signed_in_before_gets_in_while_others_guess(admin):
    browser = Client()
    browser.post(LOGIN, {"login": admin.email, "password": PASSWORD})
    browser.post("/accounts/logout/")
    lock_out()
    assert guess("203.0.113.9", password=PASSWORD).status_code == 429
    answer = browser.post(LOGIN, {"login": admin.email, "password": PASSWORD})
    assert answer["Location"] == "/"


def test_a_browser_that_is_known_has_five_tries_too(admin):
    browser = Client()
    browser.post(LOGIN, {"login": admin.email, "password": PASSWORD})
    browser.post("/accounts/logout/")
    wrong = {"login": admin.email, "password": "wrong"}
    assert [browser.post(LOGIN, wrong).status_code for _ in range(6)] == [422] * 5 + [429]


def test_a_browser_is_known_for_the_person_who_signed_in_with_it(admin, viewer):
    browser = Client()
    browser.post(LOGIN, {"login": viewer.email, "password": PASSWORD})
    browser.post("/accounts/logout/")
    lock_out()
    answer = browser.post(LOGIN, {"login": admin.email, "password": PASSWORD})
    assert answer.status_code == 429


def test_nobody_makes_such_a_browser_themselves(admin):
    lock_out()
    browser = Client()
    browser.cookies["known"] = '["adam@panel.example", "mine"]:1vMh9N:c2lnbmF0dXJl'
    answer = browser.post(LOGIN, {"login": admin.email, "password": PASSWORD})
    assert answer.status_code == 429


def test_who_is_signed_in_notices_nothing(admin_client, admin):
    lock_out(admin.email)
    assert admin_client.get("/settings/").status_code == 200


def test_a_new_password_by_mail_lets_its_browser_in_while_others_guess(
    client, admin, mailoutbox, monkeypatch
):
    monkeypatch.setattr("accounts.forms.enqueue", lambda _task, pk: tasks.send_password_reset(pk))
    lock_out()
    assert client.post(RESET, {"email": admin.email}).status_code == 302
    form = client.get(reset_link(mailoutbox), follow=True).request["PATH_INFO"]
    assert client.post(form, {"password1": NEW, "password2": NEW}).status_code == 302
    assert guess("203.0.113.9", password=NEW).status_code == 429
    assert client.post(LOGIN, {"login": admin.email, "password": NEW})["Location"] == "/"


def test_the_link_alone_makes_no_browser_known(client, admin, mailoutbox):
    tasks.send_password_reset(admin.pk)
    assert client.post(reset_link(mailoutbox)).status_code == 302
    assert "known" not in client.cookies


# One address


def test_ten_wrong_passwords_a_minute_from_one_address_for_whatever_accounts(admin):
    answers = [guess("198.51.100.1", email=f"p{n}@panel.example").status_code for n in range(11)]
    assert answers == [422] * 10 + [429]
    assert guess("198.51.100.2").status_code == 422


def test_a_flood_of_sign_ins_does_not_get_as_far_as_the_form(admin, time_machine):
    time_machine.move_to("2026-11-20T12:00:00Z", tick=False)
    for _time in range(30):
        guess("198.51.100.1")
    time_machine.shift(20)
    answer = guess("198.51.100.1")
    assert (answer.status_code, answer["Retry-After"]) == (429, "40")
    assert "Try again in 40 seconds." in answer.content.decode()


def test_all_addresses_of_a_network_of_ipv6_count_as_one(admin):
    for number in range(30):
        guess(f"2001:db8:0:1:{number:x}::1", email=f"p{number}@panel.example")
    assert guess("2001:db8:0:1:ffff::9").status_code == 429
    assert guess("2001:db8:0:2::9").status_code == 422


def test_a_forged_way_through_proxies_is_not_believed(admin, settings):
    settings.TRUSTED_PROXIES = ["127.0.0.1"]
    for number in range(30):
        guess(
            "198.51.100.1",
            email=f"p{number}@panel.example",
            **{"x-forwarded-for": f"203.0.113.{number}"},
        )
    forged = {"x-forwarded-for": "203.0.113.99"}
    assert guess("198.51.100.1", **forged).status_code == 429
    assert guess("127.0.0.1", **forged).status_code == 422  # our proxy says so


# Mails


def test_a_person_gets_three_mails_in_a_quarter_of_an_hour_whoever_asks(admin, monkeypatch):
    queued: list[object] = []
    monkeypatch.setattr("accounts.forms.enqueue", lambda *args: queued.append(args))
    for email in (admin.email, "nobody@panel.example"):
        answers = [
            Client(REMOTE_ADDR=f"198.51.100.{number}").post(RESET, {"email": email.upper()})
            for number in range(4)
        ]
        assert [answer.status_code for answer in answers] == [302, 302, 302, 429]
        assert 800 < int(answers[-1]["Retry-After"]) <= 900
        cache.clear()
    assert len(queued) == 6


# On record


def entries() -> list[tuple[str, str]]:
    return list(Entry.objects.order_by("pk").values_list("action", "target"))


def test_who_is_limited_is_on_record_once(admin, time_machine):
    time_machine.move_to("2026-11-20T12:00:00Z", tick=False)
    lock_out()
    for _time in range(20):
        guess("203.0.113.9")
    limited = [target for action, target in entries() if action == Action.ATTEMPTS_LIMITED]
    assert limited == [admin.email]
    assert Entry.objects.filter(action=Action.SIGN_IN_FAILED).count() == 5
    for _time in range(40):
        guess("198.51.100.99", email="other@panel.example")
    limited = [target for action, target in entries() if action == Action.ATTEMPTS_LIMITED]
    assert limited == [admin.email, "other@panel.example", "sign_in"]


def test_a_flood_from_everywhere_does_not_fill_the_log(admin, monkeypatch):
    monkeypatch.setitem(RATES, "failures_on_record", "7/h/key")
    for number in range(20):
        guess(f"198.51.100.{number}", email=f"p{number}@panel.example")
    assert [action for action, _target in entries()] == [
        *[Action.SIGN_IN_FAILED] * 7,
        Action.FAILURES_LEFT_OUT,
    ]
    guess("203.0.113.9", password=PASSWORD)
    assert entries()[-1][0] == Action.SIGNED_IN


# At once, and in several processes


@pytest.fixture
def table(settings):
    """The cache of production: a table, which all processes share."""
    settings.CACHES = real_settings.CACHES
    call_command("createcachetable")
    caches["default"].clear()
    assert isinstance(caches["default"], DatabaseCache)


@pytest.mark.django_db(transaction=True)
def test_twenty_guesses_at_once_are_five(table, admin):
    start = threading.Barrier(20)
    answers: list[int] = []

    def try_one(number: int) -> None:
        try:
            start.wait()
            answers.append(guess(f"198.51.100.{number}").status_code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=try_one, args=[number]) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 20
    assert 1 <= answers.count(422) <= 5
    assert answers.count(422) + answers.count(429) == 20
    assert Entry.objects.filter(action=Action.SIGN_IN_FAILED).count() == answers.count(422)


@pytest.mark.django_db(transaction=True)
def test_what_is_counted_stands_in_the_database(table, admin):
    """So another process, or this one after a restart, goes on counting."""
    lock_out()
    caches.close_all()
    connections.close_all()
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM cache WHERE cache_key LIKE %s", ["%:login_failed:%"])
        assert cursor.fetchone()[0] >= 1
    assert guess("203.0.113.9", password=PASSWORD).status_code == 429


def test_no_limit_of_allauths_is_left_to_chance():
    """Those of its views are replaced by ours; its own count of wrong passwords and codes stays."""
    assert real_settings.ACCOUNT_RATE_LIMITS == {
        "login": None,
        "reset_password": None,
        "reset_password_from_key": None,
        "change_password": None,
        "reauthenticate": None,
        "login_failed": "10/m/ip,5/5m/key",
    }
    assert real_settings.MFA_RATE_LIMITS == {"webauthn_login": None}
    assert real_settings.RATE_LIMITS is True
