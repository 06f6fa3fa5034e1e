"""How limits count, and what somebody is told who meets one."""

from __future__ import annotations

import json

import pytest
from django.core.cache import cache
from django.test import Client

from accounts.models import User
from audit.actions import Action
from audit.models import Entry
from purelymanage.core.limits import consume, seconds_left
from purelymanage.core.rates import RATES

pytestmark = pytest.mark.django_db

THEME = "/theme/"


@pytest.fixture(autouse=True)
def _limited(settings, monkeypatch):
    settings.RATE_LIMITS = True
    cache.clear()
    monkeypatch.setitem(RATES, "write", "2/m/user,3/m/ip")


def signed_in(user: User, address: str = "198.51.100.1") -> Client:
    client = Client(REMOTE_ADDR=address)
    client.force_login(user)
    return client


def statuses(client: Client, times: int) -> list[int]:
    return [client.post(THEME, {"theme": "dark"}).status_code for _ in range(times)]


def test_an_account_is_limited_whatever_address_it_comes_from(admin):
    assert statuses(signed_in(admin), 2) == [303, 303]
    assert statuses(signed_in(admin, "203.0.113.9"), 1) == [429]


def test_an_address_is_limited_whatever_account_it_has(admin, viewer):
    assert statuses(signed_in(admin), 2) == [303, 303]
    assert statuses(signed_in(viewer), 2) == [303, 429]
    assert statuses(signed_in(viewer, "203.0.113.9"), 1) == [303]


def test_looking_is_not_counted(admin):
    client = signed_in(admin)
    assert {client.get("/settings/").status_code for _ in range(5)} == {200}
    assert statuses(client, 2) == [303, 303]


def test_the_wait_that_is_told_is_the_wait_that_is_left(admin, time_machine):
    time_machine.move_to("2026-11-20T12:00:00Z", tick=False)
    client = signed_in(admin)
    statuses(client, 1)
    time_machine.shift(25)
    statuses(client, 1)
    time_machine.shift(10)
    refused = client.post(THEME, {"theme": "dark"})
    assert (refused.status_code, refused["Retry-After"]) == (429, "25")
    assert "Try again in 25 seconds." in refused.content.decode()
    time_machine.shift(24)
    assert statuses(client, 1) == [429]
    time_machine.shift(1)
    assert statuses(client, 2) == [303, 429]


def test_a_try_that_is_refused_counts_for_no_rate(rf, admin, time_machine):
    time_machine.move_to("2026-11-20T12:00:00Z", tick=False)
    request = rf.post("/", REMOTE_ADDR="198.51.100.1")
    request.user = admin
    assert [consume(request, "write") is not None for _ in range(9)] == [True] * 2 + [False] * 7
    request.user = User.objects.create_user(email="b@panel.example", name="B")
    assert consume(request, "write")
    assert seconds_left(request, "write") == 60


def test_a_try_can_be_taken_back(rf, admin):
    request = rf.post("/")
    request.user = admin
    for _time in range(5):
        consume(request, "write").rollback()
    assert consume(request, "write")


def test_htmx_gets_a_toast_and_leaves_the_form_alone(admin):
    client = signed_in(admin)
    statuses(client, 2)
    refused = client.post(THEME, {"theme": "dark"}, headers={"HX-Request": "true"})
    assert (refused.status_code, refused["HX-Reswap"], refused.content) == (429, "none", b"")
    (toast,) = json.loads(refused["HX-Trigger"])["toasts"]["toasts"]
    assert toast["tone"] == "bad"
    assert toast["text"].startswith("Too many attempts. Nothing was changed. Try again in ")
    assert int(refused["Retry-After"]) <= 60


def test_who_is_made_to_wait_is_on_record_once(admin):
    statuses(signed_in(admin), 12)
    entry = Entry.objects.get()
    assert (entry.action, entry.target, entry.actor_name, entry.address) == (
        Action.ATTEMPTS_LIMITED,
        "write",
        "Adam",
        "198.51.100.1",
    )


def test_nobody_at_work_meets_a_limit(rf, admin, time_machine):
    """Sixty domains rechecked, or as many mailboxes opened, within one minute."""
    time_machine.move_to("2026-11-20T12:00:00Z", tick=False)
    request = rf.post("/")
    request.user = admin
    tries = [consume(request, "ask") is not None for _ in range(121)]
    assert tries == [True] * 120 + [False]
