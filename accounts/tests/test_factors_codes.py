"""Recovery codes: shown once, each good once; and what is on record and mailed of factors."""

from __future__ import annotations

import re

import pytest
from allauth.mfa.models import Authenticator
from django.urls import reverse

from accounts import tasks
from accounts.tests.factors import code_of, give_codes, with_app
from accounts.tests.second_steps import (
    CODES,
    CONFIRM,
    MAKE_CODES,
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


@pytest.fixture(autouse=True)
def _work_at_once(monkeypatch):
    """The queue's worker does its work in the same breath."""

    def do(task: str, *args: object) -> None:
        getattr(tasks, task.rpartition(".")[2])(*args)

    monkeypatch.setattr("accounts.factors.receivers.enqueue", do)


def shown(response) -> list[str]:
    return re.findall(r"<li>(\d{8})</li>", response.content.decode())


# Shown once


def test_codes_wait_until_somebody_asks_for_them(admin_client, admin):
    with_app(admin)
    give_codes(admin)
    page = admin_client.get(CODES)
    assert "Show the codes" in page.content.decode()
    assert shown(page) == []
    assert "Not shown yet" in admin_client.get(PAGE).content.decode()


def test_they_are_shown_once_as_a_list_and_a_file(admin_client, admin):
    with_app(admin)
    codes = give_codes(admin)
    response = admin_client.post(CODES)
    assert shown(response) == codes
    assert "no-store" in response["Cache-Control"]
    page = response.content.decode()
    file = re.search(r'href="data:text/plain;charset=utf-8,([^"]*)" download', page)[1]
    assert all(code in file for code in codes)
    assert "adam%40panel.example" in file
    again = admin_client.post(CODES)
    assert again.status_code == 409
    assert not any(code in again.content.decode() for code in codes)
    assert admin_client.get(CODES)["Location"] == PAGE
    assert "10 codes left" in admin_client.get(PAGE).content.decode()


def test_new_codes_end_the_old_ones(admin_client, admin):
    with_app(admin)
    old = give_codes(admin)
    assert "You have 10 codes left, which end." in admin_client.get(MAKE_CODES).content.decode()
    new = shown(admin_client.post(MAKE_CODES))
    assert len(new) == 10
    assert not set(new) & set(old)
    client = password_right(admin)
    assert client.post(SECOND_STEP, {"code": old[0]}).status_code == 422
    assert client.post(SECOND_STEP, {"code": new[0]}).status_code == 302


def test_there_are_none_without_a_factor(admin_client):
    assert admin_client.get(MAKE_CODES)["Location"] == PAGE
    response = admin_client.post(MAKE_CODES)
    assert response.status_code == 409
    assert "Set up one first" in response.content.decode()
    assert admin_client.post(CODES).status_code == 409
    assert not Authenticator.objects.exists()


def test_nobody_downloads_them_from_an_address(admin_client, admin):
    with_app(admin)
    give_codes(admin)
    assert admin_client.get(f"{CODES}download/").status_code == 404


# Each good once


def test_a_code_lets_in_once(admin):
    with_app(admin)
    code, *_others = give_codes(admin)
    client = password_right(admin)
    assert client.post(SECOND_STEP, {"code": code}).status_code == 302
    assert is_signed_in(client)
    again = password_right(admin)
    assert again.post(SECOND_STEP, {"code": code}).status_code == 422
    assert not is_signed_in(again)


def test_nor_does_a_used_one_confirm_anything(admin):
    with_app(admin)
    code, *_others = give_codes(admin)
    client = password_right(admin)
    client.post(SECOND_STEP, {"code": code})
    assert client.post(CONFIRM, {"code": code}).status_code == 422


def test_showing_them_late_keeps_used_ones_used(admin, admin_client):
    with_app(admin)
    codes = give_codes(admin)
    password_right(admin).post(SECOND_STEP, {"code": codes[0]})
    assert shown(admin_client.post(CODES)) == codes[1:]
    assert password_right(admin).post(SECOND_STEP, {"code": codes[0]}).status_code == 422


# On record and in the mail


def actions() -> list[tuple[str, str, str | None]]:
    found = Entry.objects.order_by("pk")
    return [(entry.action, entry.actor_name, entry.target) for entry in found]


def test_a_used_code_is_on_record_and_mailed(admin, mailoutbox):
    with_app(admin)
    code, *_others = give_codes(admin)
    client = password_right(admin)
    client.post(SECOND_STEP, {"code": code}, REMOTE_ADDR="192.0.2.7")
    entry = Entry.objects.get(action=Action.RECOVERY_CODE_USED)
    assert (entry.actor_id, entry.address) == (admin.pk, "192.0.2.7")
    (mail,) = mailoutbox
    assert mail.to == [admin.email]
    for words in ("One of your recovery codes was used.", "9 codes are left.", "From: 192.0.2.7"):
        assert words in mail.body
    assert code not in mail.body + mail.subject + mail.alternatives[0].content


def test_each_change_is_on_record_and_mailed(
    admin_client, admin, mailoutbox, django_capture_on_commit_callbacks
):
    page = admin_client.get(SET_UP_APP).content.decode()
    secret = re.search(r"<code>([A-Z2-7]{32})</code>", page)[1]
    with django_capture_on_commit_callbacks(execute=True):
        admin_client.post(SET_UP_APP, {"code": code_of(secret)})
    with django_capture_on_commit_callbacks(execute=True):
        admin_client.post(MAKE_CODES)
    admin_client.post(TURN_OFF_APP)
    assert actions() == [
        (Action.FACTOR_ADDED, "Adam", "Authenticator app"),
        (Action.RECOVERY_CODES_MADE, "Adam", admin.email),
        (Action.RECOVERY_CODES_MADE, "Adam", admin.email),
        (Action.FACTOR_REMOVED, "Adam", "Authenticator app"),
        (Action.FACTOR_REMOVED, "Adam", "Recovery codes"),
    ]
    assert [mail.subject.partition(": ")[2] for mail in mailoutbox] == [
        "Added to your account: Authenticator app.",
        "New recovery codes were made for your account.",
        "New recovery codes were made for your account.",
        "Removed from your account: Authenticator app.",
        "Removed from your account: Recovery codes.",
    ]
    assert all(reverse("mfa_index") in mail.body for mail in mailoutbox)
    assert not any(secret in mail.body for mail in mailoutbox)


def test_somebody_who_was_removed_gets_no_mail(admin, mailoutbox):
    type(admin).objects.update(is_active=False)
    tasks.send_factor_news(
        admin.pk, Action.FACTOR_ADDED, "Authenticator app", "2026-11-21T12:00:00+00:00", ""
    )
    assert mailoutbox == []


def test_mails_leave_by_the_queue(admin_client, admin, monkeypatch, mailoutbox):
    waiting = []
    monkeypatch.setattr("accounts.factors.receivers.enqueue", lambda *task: waiting.append(task))
    with_app(admin)
    admin_client.post(TURN_OFF_APP)
    assert mailoutbox == []
    assert waiting[0][:3] == ("accounts.tasks.send_factor_news", admin.pk, Action.FACTOR_REMOVED)


def test_the_page_costs_the_same_with_many_passkeys(
    admin_client, admin, django_assert_max_num_queries
):
    with_app(admin)
    give_codes(admin)
    for number in range(20):
        Authenticator.objects.create(
            user=admin, type="webauthn", data={"name": f"Key {number}", "credential": {}}
        )
    with django_assert_max_num_queries(6):
        page = admin_client.get(PAGE).content.decode()
    assert page.count("Rename Key") == 20
