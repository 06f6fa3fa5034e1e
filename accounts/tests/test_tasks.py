"""What the workers do for people's accounts."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Session
from accounts.tasks import forget_old_sessions, send_password_reset
from audit.actions import Action
from audit.models import Entry

pytestmark = pytest.mark.django_db


def test_expired_sessions_are_forgotten_and_living_ones_stay(owner_client):
    Session.objects.create(session_key="old", expire_date=timezone.now() - timedelta(seconds=1))
    forget_old_sessions()
    assert not Session.objects.filter(session_key="old").exists()
    assert owner_client.get("/").status_code == 200


def test_a_mailed_link_is_on_record_without_the_link(admin, mailoutbox):
    send_password_reset(admin.pk)
    entry = Entry.objects.get()
    assert (entry.action, entry.actor_name) == (Action.RESET_LINK_SENT, "system")
    assert (entry.target, entry.outcome.result) == (admin.email, "ok")
    key = re.search(r"/reset/key/(\S+)/", mailoutbox[0].body)[1]
    assert key not in f"{entry.before}{entry.after}{entry.outcome.after}"


def test_nobody_is_mailed_and_nothing_recorded_where_there_is_no_such_person(db, mailoutbox):
    send_password_reset(0)
    assert not mailoutbox
    assert not Entry.objects.exists()
