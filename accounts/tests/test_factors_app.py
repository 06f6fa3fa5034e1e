"""An authenticator app: set up, its codes once and no second time, turned off."""

from __future__ import annotations

import re
import threading
import time

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.db import connection
from django.test import Client

from accounts.models import Session
from accounts.services.factors import spend_code
from accounts.tests.factors import STEP, app_of, code_of, with_app, wrong_code
from accounts.tests.second_steps import (
    CODES,
    CONFIRM,
    PAGE,
    SECOND_STEP,
    SET_UP_APP,
    TURN_OFF_APP,
    is_signed_in,
    password_right,
)
from audit.actions import Action
from audit.models import Entry

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_cache")]


def set_up(client: Client) -> str:
    """Open the page that sets up an app; the secret on it."""
    page = client.get(SET_UP_APP).content.decode()
    return re.search(r"<code>([A-Z2-7]{32})</code>", page)[1]


def enter(client: Client, code: str, url: str = SECOND_STEP):
    return client.post(url, {"code": code})


# Setting up, turning off


def test_setting_up_shows_picture_and_secret_and_asks_for_a_code(admin_client):
    page = admin_client.get(SET_UP_APP)
    assert "data:image/svg+xml;base64," in page.content.decode()
    assert "no-store" in page["Cache-Control"]


def test_the_right_code_sets_it_up_and_leads_to_the_recovery_codes(
    admin_client, admin, django_capture_on_commit_callbacks
):
    secret = set_up(admin_client)
    with django_capture_on_commit_callbacks(execute=True):
        response = enter(admin_client, code_of(secret), SET_UP_APP)
    assert (response.status_code, response["Location"]) == (302, CODES)
    assert app_of(admin).wrap().instance.user == admin
    actions = list(Entry.objects.order_by("pk").values_list("action", flat=True))
    assert actions == [Action.FACTOR_ADDED, Action.RECOVERY_CODES_MADE]


def test_a_wrong_code_sets_nothing_up_and_keeps_the_secret(admin_client, admin):
    secret = set_up(admin_client)
    response = enter(admin_client, wrong_code(secret), SET_UP_APP)
    assert response.status_code == 422
    assert secret in response.content.decode()
    assert not Authenticator.objects.exists()


def test_the_code_that_proved_the_app_is_spent(admin_client, admin):
    secret = set_up(admin_client)
    code = code_of(secret)
    enter(admin_client, code, SET_UP_APP)
    client = password_right(admin)
    assert enter(client, code).status_code == 422
    assert not is_signed_in(client)


def test_until_the_code_was_right_the_secret_waits_sealed(admin_client, admin):
    secret = set_up(admin_client)
    assert secret in str(list(admin_client.session.items()))
    rows = str(list(Session.objects.values()))
    assert admin_client.session.session_key not in rows
    assert secret not in rows


def test_a_second_click_that_comes_too_late_ends_quietly(admin_client, admin, monkeypatch):
    secret = set_up(admin_client)
    with_app(admin)
    monkeypatch.setattr("allauth.mfa.totp.views.is_mfa_enabled", lambda *_: False)
    response = enter(admin_client, code_of(secret), SET_UP_APP)
    assert (response.status_code, response["Location"]) == (302, PAGE)


def test_turning_it_off_is_on_record(admin_client, admin, django_capture_on_commit_callbacks):
    with_app(admin)
    assert "Turn it off" in admin_client.get(TURN_OFF_APP).content.decode()
    assert admin_client.post(TURN_OFF_APP).status_code == 302
    assert not Authenticator.objects.filter(user=admin).exists()
    assert Entry.objects.get().action == Action.FACTOR_REMOVED


# The second step


def test_without_the_code_nobody_is_in(admin):
    with_app(admin)
    client = password_right(admin)
    assert not is_signed_in(client)
    assert client.get("/mailboxes/").status_code == 302
    assert "Code" in client.get(SECOND_STEP).content.decode()


def test_the_code_lets_in(admin):
    secret = with_app(admin)
    client = password_right(admin)
    response = enter(client, code_of(secret))
    assert (response.status_code, response["Location"]) == (302, "/")
    assert is_signed_in(client)


def test_a_wrong_code_is_refused_and_on_record_with_the_address(admin):
    secret = with_app(admin)
    client = password_right(admin, Client(REMOTE_ADDR="192.0.2.7"))
    response = enter(client, wrong_code(secret))
    assert response.status_code == 422
    assert "This code is wrong, or it was used already." in response.content.decode()
    entry = Entry.objects.get(action=Action.FACTOR_FAILED)
    assert (entry.target, entry.address) == (admin.email, "192.0.2.7")
    assert entry.outcome.result == "refused"


def test_the_second_step_has_a_way_back(admin):
    with_app(admin)
    client = password_right(admin)
    response = client.post("/accounts/logout/", {"next": "/accounts/login/"})
    assert (response.status_code, response["Location"]) == (302, "/accounts/login/")
    assert client.get(SECOND_STEP).status_code == 302


def test_whoever_was_removed_meanwhile_is_not_let_in(admin):
    secret = with_app(admin)
    client = password_right(admin)
    type(admin).objects.update(is_active=False)
    assert enter(client, code_of(secret)).status_code in (302, 422)
    assert not is_signed_in(client)


# No code opens twice


@pytest.mark.parametrize("seconds", [0, 20, 31, 45, 59])
def test_a_code_opens_once_in_all_the_time_it_is_valid(admin, seconds):
    secret = with_app(admin)
    begin = int(time.time()) // STEP * STEP + STEP
    with time_machine.travel(begin, tick=False) as clock:
        code = code_of(secret, steps=1)  # the app is ahead: valid now, and for 89 seconds more
        assert enter(password_right(admin), code).status_code == 302
        clock.shift(seconds)
        cache.clear()
        client = password_right(admin)
        assert enter(client, code).status_code == 422
        assert not is_signed_in(client)
        assert enter(client, code_of(secret, steps=1)).status_code == (302 if seconds > 29 else 422)


@pytest.mark.parametrize("seconds", [0, 31, 59, 89])
def test_a_code_that_let_in_confirms_nothing(admin, seconds):
    secret = with_app(admin)
    begin = int(time.time()) // STEP * STEP + STEP
    with time_machine.travel(begin, tick=False) as clock:
        code = code_of(secret, steps=1)
        client = password_right(admin)
        assert enter(client, code).status_code == 302
        clock.shift(seconds)
        cache.clear()
        assert enter(client, code, CONFIRM).status_code == 422


def test_a_code_that_is_older_than_the_last_one_is_refused(admin):
    secret = with_app(admin)
    assert enter(password_right(admin), code_of(secret)).status_code == 302
    assert enter(password_right(admin), code_of(secret, steps=-1)).status_code == 422


def test_the_newest_code_lets_in_after_it(admin):
    secret = with_app(admin)
    assert enter(password_right(admin), code_of(secret)).status_code == 302
    assert enter(password_right(admin), code_of(secret, steps=1)).status_code == 302


@pytest.mark.parametrize("steps", [-2, 2])
def test_a_code_of_another_minute_is_refused(admin, steps):
    secret = with_app(admin)
    assert enter(password_right(admin), code_of(secret, steps=steps)).status_code == 422


def test_a_replay_counts_as_a_wrong_code(admin, settings):
    settings.ACCOUNT_RATE_LIMITS = {"login_failed": "5/5m/key"}
    secret = with_app(admin)
    code = code_of(secret)
    assert enter(password_right(admin), code).status_code == 302
    client = password_right(admin)
    answers = [enter(client, code).status_code for _ in range(7)]
    assert answers[:5] == [422] * 5
    assert answers[-1] == 429


@pytest.mark.django_db(transaction=True)
def test_of_two_requests_at_once_one_gets_the_code(admin):
    secret = with_app(admin)
    app, code = app_of(admin), code_of(secret)
    together = threading.Barrier(8)
    taken: list[bool] = []

    def take() -> None:
        together.wait()
        try:
            taken.append(spend_code(app, code))
        finally:
            connection.close()

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == [False] * 7 + [True]
