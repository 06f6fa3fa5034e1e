"""How an invitation is mailed, and what becomes of its link where no mail server is set up."""

from __future__ import annotations

import re

import pytest
from django.core import mail
from django.core.mail.backends.base import BaseEmailBackend
from django.test import Client
from django_q.models import OrmQ

from accounts import tasks
from accounts.models import Invitation
from accounts.services import invitations as services
from accounts.tests.invitations import NORA, actions, invite, mailed_link
from audit.actions import Action
from purelymanage.tests.audited.world import recorded

pytestmark = pytest.mark.django_db

CONSOLE = "django.core.mail.backends.console.EmailBackend"


class Refusing(BaseEmailBackend):
    def send_messages(self, messages):
        raise OSError("no route")


def test_the_token_is_in_the_mail_alone(owner, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        invite(owner)
    link = mailed_link()
    token = link.split("/")[2]
    assert len(token) == 43  # 256 bits
    assert OrmQ.objects.count() == 1
    assert token not in str(list(OrmQ.objects.values_list("payload", flat=True)))
    assert token not in str(Invitation.objects.values().get())
    assert token not in recorded()


def test_a_mail_is_sent_once_however_often_the_worker_is_kicked(owner):
    invite(owner)
    link = mailed_link()
    tasks.send_invitations()
    assert len(mail.outbox) == 1
    assert Client().get(link).status_code == 200


def test_what_the_mail_server_refuses_is_tried_again(owner, settings):
    invite(owner)
    working, settings.EMAIL_BACKEND = settings.EMAIL_BACKEND, f"{__name__}.Refusing"
    tasks.send_invitations()
    assert Invitation.objects.get().sent_at is None
    assert Action.INVITATION_SENT not in actions()
    settings.EMAIL_BACKEND = working
    assert Client().get(mailed_link()).status_code == 200


def test_a_link_asked_for_while_the_mail_is_on_its_way_is_mailed_as_well(owner, monkeypatch):
    invitation = invite(owner)
    real = services.send

    def slow_send(message):
        monkeypatch.setattr(services, "send", real)
        services.send_again(invitation=invitation, inviter=owner)
        return real(message)

    monkeypatch.setattr(services, "send", slow_send)
    first = mailed_link()
    second = mailed_link()
    assert first != second
    assert Client().get(first).status_code == 410
    assert Client().get(second).status_code == 200


def test_without_a_mail_server_the_owner_gets_the_link_once(owner_client, settings, capsys):
    settings.EMAIL_BACKEND = CONSOLE
    assert "a link to hand over" in owner_client.get("/settings/people/new/").content.decode()
    answer = owner_client.post("/settings/people/new/", NORA)
    page = answer.content.decode()
    assert "no mail server" in page.lower()
    assert "no-store" in answer["Cache-Control"]
    link = re.search(r"/invite/[\w-]+/", page)[0]
    assert Client().get(link).status_code == 200
    assert link not in owner_client.get("/settings/people/").content.decode()
    tasks.send_invitations()
    assert link not in capsys.readouterr().out
    again = owner_client.post(f"/settings/people/invitations/{Invitation.objects.get().pk}/send/")
    assert re.search(r"/invite/[\w-]+/", again.content.decode())[0] != link
    assert Client().get(link).status_code == 410


def test_with_a_mail_server_no_page_shows_the_link(owner_client, owner):
    answer = owner_client.post("/settings/people/new/", NORA, follow=True)
    mailed_link()
    assert "/invite/" not in answer.content.decode()
    assert "/invite/" not in owner_client.get("/settings/people/").content.decode()


def test_a_worker_prints_no_link_once_the_mail_server_is_gone(owner, settings, capsys):
    invite(owner)
    settings.EMAIL_BACKEND = CONSOLE
    tasks.send_invitations()
    assert "/invite/" not in capsys.readouterr().out
    assert Invitation.objects.get().sent_at is None
