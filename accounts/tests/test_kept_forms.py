"""Forms that came too late: kept, and done once it is known who sent them."""

from __future__ import annotations

import re
import time
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.models import SecurityPolicy, User
from accounts.sessions import reauthentication
from accounts.sessions.reauthentication import KEPT
from accounts.tests.asking import ASK, PEOPLE, confirm, late, role_of, send_role
from audit.actions import Action
from audit.models import Entry
from conftest import PASSWORD
from purelymanage.core.roles import Role

pytestmark = pytest.mark.django_db


def test_a_form_that_came_too_late_is_done_after_the_confirmation(owner, viewer):
    client = late(owner)
    page = f"{PEOPLE}{viewer.pk}/"
    answer = send_role(client, viewer)
    assert answer["Location"] == f"{ASK}?next={page}"
    assert role_of(viewer) == Role.VIEWER
    assert "What you sent is done" in client.get(answer["Location"]).content.decode()
    answer = confirm(client, page)
    assert answer["Location"] == PEOPLE
    assert role_of(viewer) == Role.ADMIN
    actions = [entry.action for entry in Entry.objects.newest_first()[:2]]
    assert actions == [Action.PERSON_CHANGED, Action.IDENTITY_CONFIRMED]


def test_a_wrong_password_in_between_loses_nothing(owner, viewer):
    client = late(owner)
    page = f"{PEOPLE}{viewer.pk}/"
    send_role(client, viewer)
    wrong = confirm(client, page, "wrong").content.decode()
    assert "What you sent is done" in wrong
    assert f'name="next" value="{page}"' in wrong
    assert confirm(client, page)["Location"] == PEOPLE
    assert role_of(viewer) == Role.ADMIN


def test_it_is_done_once(owner, viewer):
    client = late(owner)
    page = f"{PEOPLE}{viewer.pk}/"
    send_role(client, viewer)
    waiting = client.session[KEPT]
    confirm(client, page)
    User.objects.filter(pk=viewer.pk).update(role=Role.VIEWER)
    confirm(client, page)
    assert role_of(viewer) == Role.VIEWER
    session = client.session  # a second confirmation that had begun before the first one ended
    session[KEPT] = waiting
    session.save()
    assert confirm(client, page)["Location"] == page
    assert role_of(viewer) == Role.VIEWER


def test_an_abandoned_form_is_not_done_with_a_later_confirmation(owner, viewer):
    client = late(owner)
    page = f"{PEOPLE}{viewer.pk}/"
    send_role(client, viewer)
    client.get(page)
    assert KEPT not in client.session
    confirm(client, page)
    assert role_of(viewer) == Role.VIEWER


def test_a_confirmation_for_another_page_does_not_do_it(owner, viewer):
    client = late(owner)
    send_role(client, viewer)
    assert confirm(client, "/")["Location"] == "/"
    assert role_of(viewer) == Role.VIEWER
    assert KEPT not in client.session


def test_it_goes_stale(owner, viewer):
    client = late(owner)
    send_role(client, viewer)
    with time_machine.travel(timezone.now() + timedelta(minutes=15, seconds=1)):
        confirm(client, f"{PEOPLE}{viewer.pk}/")
    assert role_of(viewer) == Role.VIEWER


def test_it_ends_with_the_session(owner, viewer):
    client = late(owner)
    send_role(client, viewer)
    client.post("/accounts/logout/")
    client.post("/accounts/login/", {"login": owner.email, "password": PASSWORD})
    confirm(client, f"{PEOPLE}{viewer.pk}/")
    assert role_of(viewer) == Role.VIEWER


def test_only_who_sent_it_can_have_it_done(owner, admin, viewer):
    client = late(owner)
    send_role(client, viewer)
    waiting = client.session[KEPT]
    User.objects.filter(pk=admin.pk).update(role=Role.OWNER)
    other = late(admin)
    session = other.session
    session[KEPT] = waiting
    session.save()
    confirm(other, f"{PEOPLE}{viewer.pk}/")
    assert role_of(viewer) == Role.VIEWER


def test_the_role_counts_at_the_moment_it_is_done(owner, viewer):
    client = late(owner)
    send_role(client, viewer)
    User.objects.filter(pk=owner.pk).update(role=Role.ADMIN)
    assert confirm(client, f"{PEOPLE}{viewer.pk}/").status_code == 403
    assert role_of(viewer) == Role.VIEWER


def test_so_does_the_policy(owner, viewer):
    User.objects.filter(pk=owner.pk).update(joined_at=timezone.now() - timedelta(days=99))
    client = late(owner)
    page = f"{PEOPLE}{viewer.pk}/"
    send_role(client, viewer)
    SecurityPolicy.objects.create(pk=1, second_factor_from=timezone.now())
    assert confirm(client, page)["Location"] == page
    assert client.get(page)["Location"] == "/settings/security/"
    assert role_of(viewer) == Role.VIEWER


def test_it_is_no_way_around_the_csrf_token(owner, viewer):
    client = late(owner, enforce_csrf_checks=True)
    assert send_role(client, viewer).status_code == 403
    assert KEPT not in client.session
    session = client.session
    session[KEPT] = {
        "page": "/",
        "path": f"{PEOPLE}{viewer.pk}/",
        "query": "",
        "form": "role=admin",
    }
    session[KEPT] |= {"person": owner.pk, "at": time.time(), "token": "t"}
    session.save()
    assert confirm(client, "/").status_code == 403
    assert role_of(viewer) == Role.VIEWER


def test_what_is_kept_holds_neither_token_nor_cookie(owner, viewer):
    client = late(owner)
    client.post(f"{PEOPLE}{viewer.pk}/", {"role": "admin", "csrfmiddlewaretoken": "t0ken"})
    assert client.session[KEPT]["form"] == "role=admin"
    assert client.cookies["sessionid"].value not in str(client.session[KEPT])


@pytest.mark.parametrize(
    "fields",
    [
        {"password": "seven purple walls"},
        {"role": "admin", "app_password": "seven purple walls"},
        {"role": "admin", "API-Token": "seven purple walls"},
        {"role": "admin", "note": "x" * 70_000},
    ],
)
def test_a_form_with_a_secret_or_too_long_is_not_kept(owner, viewer, fields):
    client = late(owner)
    answer = client.post(f"{PEOPLE}{viewer.pk}/", fields)
    assert answer["Location"] == f"{ASK}?next=/"
    assert "seven purple" not in str(dict(client.session))
    assert KEPT not in client.session
    assert "Nothing was changed yet" in client.get(answer["Location"]).content.decode()
    confirm(client, "/")
    assert role_of(viewer) == Role.VIEWER


def test_no_address_that_takes_a_password_keeps_its_form(owner, viewer):
    client = late(owner)
    for path in ("/mailboxes/new/", "/mailboxes/1/password/", "/mailboxes/batches/1/passwords/"):
        client.post(path, {"local_part": "lea", "secretless": "yes"})
        assert KEPT not in client.session, path


def test_a_form_that_turns_out_invalid_posts_to_its_own_address(owner, viewer):
    client = late(owner)
    page = f"{PEOPLE}{viewer.pk}/"
    send_role(client, viewer, "god")
    answer = confirm(client, page)
    assert answer.status_code == 422
    main = answer.content.decode().split("<main", 1)[1]
    actions = re.findall(r'<form[^>]*method="post"[^>]*action="([^"]*)"', main)
    assert actions.count(page) == 1
    assert not any(action in ("", ASK) for action in actions)
    assert len(actions) == len(re.findall(r'<form[^>]*method="post"', main))


def test_two_confirmations_at_the_same_moment_do_it_once():
    assert reauthentication._claim("the-same")
    assert not reauthentication._claim("the-same")
