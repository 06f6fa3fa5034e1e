"""What sessions remember, where, and for how long."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.exceptions import SessionInterrupted
from django.db import connection, connections
from django.test import Client
from django.utils import timezone

from accounts.models import Session
from accounts.sessions.store import SessionStore, remembered
from accounts.tests.browsers import (
    FIREFOX,
    HOME,
    cookie_of,
    opens,
    row_of,
    sign_in,
    signed_in,
    with_cookie,
)

pytestmark = pytest.mark.django_db
NOON = "2026-11-20T12:00:00Z"
MINUTE = 60
HOUR = 60 * MINUTE


@pytest.fixture
def clock(time_machine):
    """Noon; `clock.shift(seconds)` moves on."""
    time_machine.move_to(NOON, tick=False)
    return time_machine


def stored(person) -> SessionStore:
    """A session of that person, as the next request finds it."""
    store = SessionStore()
    store[SESSION_KEY] = str(person.pk)
    store.save()
    return SessionStore(store.session_key)


# Where it stands


def test_the_database_holds_neither_the_cookie_nor_what_is_remembered(admin):
    browser = signed_in(admin)
    browser.get(HOME)
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM accounts_session")
        dump = str(cursor.fetchall())
    assert cookie_of(browser) not in dump
    assert "_auth_user" not in dump
    assert hashlib.sha256(cookie_of(browser).encode()).hexdigest() in dump


def test_nothing_that_stands_in_the_database_works_as_a_cookie(admin):
    row = row_of(signed_in(admin))
    for copied in (row.session_key, row.session_key[:32], row.session_data, str(row.pk)):
        assert not opens(with_cookie(copied))


def test_what_one_session_remembers_opens_in_no_other_row(admin, owner, caplog):
    mine, theirs = signed_in(admin), signed_in(owner)
    data, key = row_of(theirs).session_data, row_of(mine).session_key
    Session.objects.filter(session_key=key).update(session_data=data)
    with caplog.at_level(logging.WARNING):
        assert not opens(mine)
    assert "does not open" in caplog.text
    assert key not in caplog.text
    assert opens(theirs)


@pytest.mark.parametrize("data", ["", "nonsense", "pm1.00000000.AAAA", "pm1.ü.ü"])
def test_what_does_not_open_counts_as_no_session(admin, data):
    browser = signed_in(admin)
    Session.objects.update(session_data=data)
    assert not opens(browser)


def test_without_the_key_that_sealed_it_everybody_signs_in_again(admin, settings):
    browser = signed_in(admin)
    settings.ENCRYPTION_KEYS = ["QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE="]
    assert not opens(browser)
    sign_in(browser, admin)
    assert opens(browser)


def test_it_belongs_to_nobody_until_somebody_signs_in(admin):
    browser = Client()
    browser.post("/accounts/password/reset/", {"email": "nobody@panel.example"})
    assert not Session.objects.exclude(user=None).exists()
    assert row_of(signed_in(admin)).user == admin


# How it begins


def test_where_it_began_is_noted_at_once(admin):
    row = row_of(signed_in(admin, address="192.0.2.7", user_agent=FIREFOX))
    assert (row.address, row.user_agent) == ("192.0.2.7", FIREFOX)


def test_a_browser_that_says_strange_things_signs_in_all_the_same(admin):
    row = row_of(signed_in(admin, user_agent="a\x00b\x1b[1m" + "x" * 1000))
    assert row.user_agent.startswith("ab[1mx")
    assert len(row.user_agent) == 400


def test_saving_keeps_where_and_when_it_began(admin, clock):
    browser = signed_in(admin)
    before = row_of(browser)
    clock.shift(30)
    browser.post(HOME, {"name": "Adam B."}, REMOTE_ADDR="198.51.100.1")
    after = row_of(browser)
    assert after.session_data != before.session_data
    assert (after.begun_at, after.address) == (before.begun_at, before.address)


def test_signing_in_begins_a_session_whatever_it_was_before(admin, clock):
    browser = Client()
    browser.get("/accounts/login/")
    store = SessionStore()
    store["left"] = "here"
    store.save()
    browser.cookies["sessionid"] = store.session_key
    clock.shift(20 * MINUTE)
    sign_in(browser, admin)
    assert row_of(browser).begun_at == timezone.now()
    assert browser.cookies["sessionid"]["max-age"] == 12 * HOUR
    assert not SessionStore().exists(store.session_key)


def test_somebody_else_who_signs_in_takes_over_nothing(admin, viewer):
    browser = signed_in(admin)
    store = SessionStore(cookie_of(browser))
    store["draft"] = "of Adam"
    store.save()
    old = cookie_of(browser)
    browser.force_login(viewer)
    row = row_of(browser)
    assert row.user == viewer
    assert "draft" not in remembered(row)
    assert not SessionStore().exists(old)


def test_a_new_key_goes_on_with_the_same_session(admin, clock):
    store = stored(admin)
    old, before = store.session_key, Session.objects.get()
    clock.shift(MINUTE)
    store.cycle_key()
    after = Session.objects.get()
    assert store.session_key != old
    assert (after.pk, after.begun_at) == (before.pk, before.begun_at)
    assert remembered(after) == {SESSION_KEY: str(admin.pk)}
    assert not SessionStore().exists(old)


# How long it lasts


def test_29_minutes_without_a_request_are_fine_and_31_are_not(admin, clock):
    browser = signed_in(admin)
    clock.shift(29 * MINUTE)
    assert opens(browser)
    clock.shift(29 * MINUTE)
    assert opens(browser)
    clock.shift(31 * MINUTE)
    assert not opens(browser)


def test_30_minutes_count_from_the_last_request_even_if_it_was_not_noted(admin, clock):
    browser = signed_in(admin)
    clock.shift(59)
    assert opens(browser)
    clock.shift(30 * MINUTE - 1)
    assert opens(browser)


def test_used_all_the_time_it_ends_after_12_hours(admin, clock):
    browser = signed_in(admin)
    for _quarter in range(4 * 12 - 1):
        clock.shift(15 * MINUTE)
        assert opens(browser)
    clock.shift(15 * MINUTE - 1)
    assert opens(browser)
    clock.shift(1)
    assert not opens(browser)


def test_saving_and_a_new_key_add_nothing_to_the_12_hours(admin, clock, settings):
    settings.SESSION_IDLE_MINUTES = 10_000
    store = stored(admin)
    clock.shift(12 * HOUR - 1)
    store["more"] = 1
    store.save()
    store.cycle_key()
    assert SessionStore().exists(store.session_key)
    clock.shift(1)
    assert not SessionStore().exists(store.session_key)


def test_the_settings_say_how_long(admin, clock, settings):
    settings.SESSION_IDLE_MINUTES, settings.SESSION_MAX_HOURS = 5, 1
    browser = signed_in(admin)
    assert browser.cookies["sessionid"]["max-age"] == HOUR
    clock.shift(6 * MINUTE)
    assert not opens(browser)


def test_the_cookie_lives_as_long_as_the_session_can(admin, clock):
    browser = signed_in(admin)
    assert browser.cookies["sessionid"]["max-age"] == 12 * HOUR
    clock.shift(20 * MINUTE)
    browser.post(HOME, {"name": "Adam B."})
    assert browser.cookies["sessionid"]["max-age"] == 12 * HOUR - 20 * MINUTE


def test_a_page_that_polls_keeps_it_alive(admin, clock):
    browser = signed_in(admin)
    for _minute in range(60):
        clock.shift(MINUTE)
        assert browser.get("/deletions/", headers={"hx-request": "true"}).status_code == 200
    assert opens(browser)


def test_an_expired_cookie_is_refused_although_its_row_is_there(admin, clock):
    browser = signed_in(admin)
    stolen = cookie_of(browser)
    clock.shift(31 * MINUTE)
    assert Session.objects.filter(session_key=Session.stored_key(stolen)).exists()
    assert not opens(with_cookie(stolen))


# What it costs


def _writes(browser, path=HOME) -> list[str]:
    written = []

    def watch(execute, sql, params, many, context):
        if not sql.startswith("SELECT") and "accounts_session" in sql:
            written.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        browser.get(path)
    return written


def test_use_is_written_once_a_minute_however_many_processes_serve_it(admin, clock):
    browser = signed_in(admin)
    clock.shift(59)
    assert _writes(browser) == []
    clock.shift(1)
    assert len(_writes(browser)) == 1
    for _another in range(5):
        elsewhere = with_cookie(cookie_of(browser))  # its middleware has seen nothing yet
        assert _writes(elsewhere) == []


def test_a_request_reads_its_session_in_one_query(admin, clock):
    browser = signed_in(admin)
    seen = []

    def watch(execute, sql, params, many, context):
        seen.extend([sql] * ("accounts_session" in sql))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        browser.get("/settings/people/")
    assert len(seen) == 1


def test_of_two_requests_at_once_one_notes_it(admin, clock):
    first = stored(admin)
    second = SessionStore(first.session_key)
    for store in (first, second):
        store.get("anything")
    clock.shift(2 * MINUTE)
    first.note_use()
    clock.shift(1)
    second.note_use()
    assert Session.objects.get().last_seen_at == timezone.now() - timedelta(seconds=1)


# How it ends


def test_saving_does_not_bring_back_what_was_ended(admin):
    store = stored(admin)
    store["more"] = 1
    Session.objects.all().delete()
    with pytest.raises(UpdateError):
        store.save()
    assert not Session.objects.exists()


def test_nor_does_saving_unread(admin):
    store = stored(admin)
    Session.objects.all().delete()
    with pytest.raises(UpdateError):
        store.save()
    store = stored(admin)
    Session.objects.all().delete()
    store.clear()
    with pytest.raises(UpdateError):
        store.save()
    assert not Session.objects.exists()


def test_nor_does_a_new_key(admin):
    store = stored(admin)
    store.get("anything")
    Session.objects.all().delete()
    with pytest.raises(SessionInterrupted):
        store.cycle_key()
    assert not Session.objects.exists()


def test_nor_does_using_it(admin, clock):
    store = stored(admin)
    store.get("anything")
    Session.objects.all().delete()
    clock.shift(2 * MINUTE)
    store.note_use()
    assert not Session.objects.exists()


def test_what_has_expired_is_not_prolonged(admin, clock):
    store = stored(admin)
    store["more"] = 1
    clock.shift(31 * MINUTE)
    with pytest.raises(UpdateError):
        store.save()
    store.note_use()
    assert not Session.objects.alive().exists()


def test_flushing_ends_it_and_what_comes_next_is_nobodys(admin):
    store = stored(admin)
    old = store.session_key
    store.flush()
    assert not Session.objects.exists()
    store["message"] = "bye"
    store.save()
    row = Session.objects.get()
    assert row.user is None
    assert store.session_key != old
    assert remembered(row) == {"message": "bye"}


def test_an_empty_cookie_ends_nothing(admin):
    stored(admin)
    SessionStore().delete()
    SessionStore("").flush()
    assert Session.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_asynchronous_ways_are_the_same_ways(owner):
    key = stored(owner).session_key

    async def walk() -> str:
        store = SessionStore(key)
        await store.aset("more", 1)
        await store.asave()
        await store.acycle_key()
        assert await store.aexists(store.session_key)
        assert not await store.aexists(key)
        await sync_to_async(connections.close_all)()
        return store.session_key

    async def flush(key: str) -> None:
        await SessionStore(key).aflush()
        await sync_to_async(connections.close_all)()

    new = asyncio.run(walk())
    row = Session.objects.get()
    assert row.session_key == Session.stored_key(new)
    assert remembered(row) == {SESSION_KEY: str(owner.pk), "more": 1}
    asyncio.run(flush(new))
    assert not Session.objects.exists()
